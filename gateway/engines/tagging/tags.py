"""From how sure each label is and where its things are to the tags that a caller gets."""

import numpy as np

from gateway.engines.tagging.confidence import Odds, percent
from gateway.engines.tagging.judge import Places
from gateway.engines.tagging.vocabulary import TYPE_NAMES, Vocabulary
from gateway.media import Box, Tag, TaggingParameters, TagInstance


def named(vocabulary: Vocabulary, odds: Odds, places: dict[int, Places], parameters: TaggingParameters) -> tuple[Tag, ...]:
    """The labels of at least the threshold, highest confidence first; of equals, the narrower first. `odds`: of each label."""
    confidences = percent(odds)
    depths = np.array([len(above) for above in vocabulary.ancestors])
    ranked = np.lexsort((-depths, -confidences))[: parameters.limit]
    return tuple(
        Tag(
            name=label.name.in_language(parameters.language),
            confidence=float(confidences[index]),
            type=label.type,
            localized_name=label.name,
            localized_type=TYPE_NAMES[label.type],
            instances=_instances(places[index]) if index in places else (),
        )
        for index in ranked[confidences[ranked] >= parameters.threshold].tolist()
        for label in (vocabulary.labels[index],)
    )


def _instances(places: Places) -> tuple[TagInstance, ...]:
    return tuple(
        TagInstance(Box(left, top, right - left, bottom - top), confidence)
        for (left, top, right, bottom), confidence in zip(places.boxes.tolist(), places.confidences.tolist(), strict=True)
    )
