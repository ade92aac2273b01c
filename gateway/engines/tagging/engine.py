"""Tagging: the classifier's classes and the concepts above them, things with boxes, and words for the scene.

The classifier's softmax gives each of 1000 narrow classes a share of one. That the picture shows a dog of whatever breed is
the sum of the shares of all breeds, so a broader concept is often certain where no single class is. Two detectors see things
that the classifier has no class for, and where they are; both are sure of nonsense outside their 80 kinds, so that a sighting
counts by how many of the looks share it, and by the classifier's share of the same thing. Animals that they do not know are
where the classifier's map of them is warm. Words for the scene come from all the classifier's scores and from colours.
`confidence` makes the sources comparable.
"""

from typing import Final

import numpy as np

from gateway.engines.steps import Checkpoint, never_cancelled
from gateway.engines.tagging.classifier import CLASSES
from gateway.engines.tagging.confidence import load_weights
from gateway.engines.tagging.judge import Judge
from gateway.engines.tagging.observer import Observer
from gateway.engines.tagging.scenes import load_scene_words
from gateway.engines.tagging.tags import named
from gateway.engines.tagging.views import Pixels
from gateway.engines.tagging.vocabulary import load_vocabulary
from gateway.media import Tag, TaggingParameters


class TaggingEngine:
    """Tags pictures. Thread-safe, without state after construction."""

    WORKING_SIDE: Final = 640
    """A picture is best given with its longer side at most this: the networks look at 512 pixels at most."""

    def __init__(self) -> None:
        """Load models, names and weights (tenths of a second). Raises `ValueError` if a data file is damaged."""
        self._observer = Observer()
        self._vocabulary = load_vocabulary()
        if len(self._vocabulary.classes) != CLASSES:
            msg = f"labels.tsv has {len(self._vocabulary.classes)} rows, not {CLASSES}"
            raise ValueError(msg)
        self._judge = Judge(self._vocabulary, load_weights(), load_scene_words(len(self._vocabulary.scenes)))

    def tag(self, pixels: Pixels, parameters: TaggingParameters, checkpoint: Checkpoint = never_cancelled) -> tuple[Tag, ...]:
        """Return the tags of one picture, highest confidence first; of equals, the narrower first.

        `pixels`: the whole picture upright, H × W × 3, RGB, 0–255, of any size from 1 × 1. Boxes are in pixels of it. A tag's
        confidence is the percentage of tags of that confidence that were right on the pictures of the calibration; a place's
        is the percentage of places at which there was a thing of that name, half or more of box and thing in common.
        """
        odds, places = self._judge.weigh(self._observer.look(pixels, checkpoint))
        return named(self._vocabulary, odds, places, parameters)

    def self_test(self) -> None:
        """Raise `ValueError` if the models do not compute."""
        odds, _ = self._judge.weigh(self._observer.look(np.zeros((32, 32, 3), dtype=np.uint8), never_cancelled))
        if not np.isfinite(odds).all():
            msg = "the models of tagging do not give finite scores"
            raise ValueError(msg)
