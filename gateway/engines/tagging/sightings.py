"""What several looks at a picture saw, put together: a thing counts for as much as all of them see in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.boxes import clusters
from gateway.engines.tagging.detector import Findings
from gateway.engines.tagging.views import Boxes

_SAME: Final = 0.5
"""Overlap from which boxes in one look or several are taken for the same thing."""

LEAST_MEAN: Final = 0.1
"""Mean of the looks' scores below which a thing is taken for none: of those below, next to nothing was right."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """N things: the box of each in pixels of the picture, and the score that each of L looks gave it (N × L, 0 where a look
    did not see it)."""

    boxes: Boxes
    scores: npt.NDArray[np.float64]


def put_together(looks: Sequence[Findings], kinds: npt.NDArray[np.bool_]) -> Sightings:
    """Match what several looks found of some kinds of things. `kinds`: for each of the detectors' classes, whether it is one.

    What they hardly see is left out.

    The box of a thing is the mean of those that were matched, weighted by their scores: weighted boxes fusion (Solovyev,
    Wang, Gabruseva, "Weighted boxes fusion", Image and Vision Computing 2021).
    """
    wanted = [kinds[look.classes] for look in looks]
    boxes = np.concatenate([look.boxes[mask] for look, mask in zip(looks, wanted, strict=True)])
    scores = np.concatenate([look.scores[mask] for look, mask in zip(looks, wanted, strict=True)])
    origins = np.repeat(np.arange(len(looks)), [mask.sum() for mask in wanted])
    groups = clusters(boxes, scores, _SAME)
    fused = np.zeros((len(groups), 4))
    by_look = np.zeros((len(groups), len(looks)))
    for row, members in enumerate(groups):
        fused[row] = np.average(boxes[members], axis=0, weights=scores[members])
        np.maximum.at(by_look[row], origins[members], scores[members])
    kept = by_look.mean(axis=1) >= LEAST_MEAN
    return Sightings(fused[kept], by_look[kept])
