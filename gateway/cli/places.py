"""Where the things of a picture are, each once, whatever number of tags it has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.media import Box, Tag

_SAME_OVERLAP: Final = 0.7
"""Boxes that share this part of their union are of one thing: an animal found once as a dog and once as an animal."""

_SURE: Final = 0.8
"""A narrower name is chosen if it is at least this part as confident as the broadest; below, it is a guess."""


@dataclass(frozen=True, slots=True)
class Place:
    """A box in pixels of the picture as stored, and the name to write beside it."""

    box: Box
    name: str


def places(tags: Sequence[Tag]) -> tuple[Place, ...]:
    """Return one place for each distinct box, the most confident first.

    Of the tags that share a box it has the narrowest name that is sure. A dog is an animal, so the broader name is never the
    less confident one: the narrowest is the least confident.
    """
    sightings = [
        (instance.confidence, tag.name, instance.box) for tag in tags for instance in tag.instances if _area(instance.box) > 0
    ]
    things: list[list[tuple[float, str, Box]]] = []
    for sighting in sorted(sightings, key=lambda sighting: -sighting[0]):
        thing = next((thing for thing in things if _overlap(thing[0][2], sighting[2]) >= _SAME_OVERLAP), None)
        if thing is None:
            things.append([sighting])
        else:
            thing.append(sighting)
    return tuple(_narrowest(thing) for thing in things)


def _narrowest(thing: Iterable[tuple[float, str, Box]]) -> Place:
    (best, name, box), *others = thing
    for confidence, narrower, its_box in others:
        if confidence >= best * _SURE:
            name, box = narrower, its_box
    return Place(box, name)


def _overlap(one: Box, other: Box) -> float:
    """The part of their union that two boxes share, 0 to 1."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (_area(one) + _area(other) - shared)


def _area(box: Box) -> float:
    return box.width * box.height
