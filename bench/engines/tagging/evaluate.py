"""How right tags, their confidences and their boxes are, on pictures that were labelled by looking at them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gateway.engines.tagging.boxes import overlaps
from gateway.media import Tag

SAME = 0.5
"""Overlap from which a box is right."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What one picture shows: all names that are right for it, and its things, each with the names that are right for it and
    its box (left, top, right, bottom, in parts of the picture's sides)."""

    names: frozenset[str]
    things: tuple[tuple[frozenset[str], tuple[float, float, float, float]], ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One picture: each tag from the surest on with whether it is right; each thing with how sure its place was, 0 if it was
    not found; and each place that was told, of the names that can be judged, with how sure it was and whether it is right."""

    confidences: tuple[float, ...]
    right: tuple[bool, ...]
    found: tuple[float, ...]
    places: tuple[tuple[float, bool], ...] = ()

    def at(self, threshold: float) -> tuple[bool, ...]:
        """Whether the tags of at least this confidence are right."""
        return tuple(right for right, confidence in zip(self.right, self.confidences, strict=True) if confidence >= threshold)


def compare(tags: Sequence[Tag], truth: Truth, width: int, height: int, *, threshold: float) -> Outcome:
    """Tags of all confidences against the truth. A thing is found if a tag of at least `threshold` with one of its names has a
    place there. Places can be judged of names that something was boxed for, and of names that are wrong."""
    boxed = frozenset[str]().union(*(names for names, _ in truth.things))
    told = [tag for tag in tags if tag.confidence >= threshold]
    return Outcome(
        confidences=tuple(tag.confidence for tag in tags),
        right=tuple(tag.localized_name.en in truth.names for tag in tags),
        found=tuple(_found(names, box, told, (width, height)) for names, box in truth.things),
        places=tuple(
            place
            for tag in told
            if (name := tag.localized_name.en) in boxed or name not in truth.names
            for place in _judged(tag, [box for names, box in truth.things if name in names], (width, height))
        ),
    )


def _found(
    names: frozenset[str],
    box: tuple[float, float, float, float],
    tags: Sequence[Tag],
    size: tuple[int, int],
) -> float:
    """The confidence of the surest place of the thing, 0 if there is none."""
    places = [place for tag in tags if tag.localized_name.en in names for place in _judged(tag, [box], size)]
    return max((confidence for confidence, right in places if right), default=0.0)


def _judged(tag: Tag, boxes: Sequence[tuple[float, float, float, float]], size: tuple[int, int]) -> Iterator[tuple[float, bool]]:
    """The confidence of each of a tag's places, and whether one of the boxes is there."""
    corners = [(p.box.left, p.box.top, p.box.left + p.box.width, p.box.top + p.box.height) for p in tag.instances]
    wanted = np.array(boxes, dtype=np.float64).reshape(-1, 4) * np.array(size * 2, dtype=np.float64)
    same = overlaps(np.array(corners, dtype=np.float64).reshape(-1, 4), wanted) >= SAME
    for place, right in zip(tag.instances, np.any(same, axis=1).tolist(), strict=True):
        yield place.confidence, right


def right_within(outcomes: Sequence[Outcome], places: int) -> float:
    """Part of the pictures with a right tag among the surest `places`."""
    return float(np.mean([any(one.right[:places]) for one in outcomes]))


def precision(outcomes: Sequence[Outcome], threshold: float) -> tuple[float, int]:
    """Part of the tags of at least `threshold` that are right, of all pictures together, and how many tags that are."""
    right = [value for one in outcomes for value in one.at(threshold)]
    return float(np.mean(right)), len(right)


def places_right(outcomes: Sequence[Outcome]) -> tuple[float, int, float]:
    """Part of the places that are right, of all pictures together, how many places that are, and their mean confidence."""
    told = np.array([place for one in outcomes for place in one.places], dtype=np.float64).reshape(-1, 2)
    confidence, right = told.mean(axis=0)
    return float(right), len(told), float(confidence)


def reliability(
    outcomes: Sequence[Outcome], edges: Sequence[float]
) -> tuple[float, list[tuple[float, float, int, float, float]]]:
    """Expected calibration error in percent (Naeini et al. 2015), and for each bin between `edges`: from, to, tags, mean
    confidence, percentage right. Tags below the first edge do not count."""
    confidences = np.array([value for one in outcomes for value in one.confidences])
    right = np.array([value for one in outcomes for value in one.right], dtype=np.float64)
    bins = []
    for low, high in pairwise(edges):
        inside: npt.NDArray[np.bool_] = (confidences >= low) & ((confidences < high) | (high == edges[-1]))
        if inside.any():
            bins.append((low, high, int(inside.sum()), float(confidences[inside].mean()), 100.0 * float(right[inside].mean())))
    total = sum(count for _, _, count, _, _ in bins)
    return sum(count * abs(mean - share) for _, _, count, mean, share in bins) / total, bins
