"""Labelled pictures as the engine sees them: what is fitted to, looked at once."""

from dataclasses import dataclass

from bench.engines.tagging.evaluate import Truth
from bench.engines.tagging.photographs import content, implied, photographs, rows
from gateway.engines.picture import decoded
from gateway.engines.steps import never_cancelled
from gateway.engines.tagging import TaggingEngine
from gateway.engines.tagging.observer import Evidence, Observer
from gateway.engines.tagging.vocabulary import Vocabulary

_MOST_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """A picture that was looked at. `unsure`: English names; what is neither there nor in `truth.names` is not shown.

    `size`: width and height of what was looked at. `tuning`: of the tuning half, so that `truth` speaks of things too and not
    of scene words alone.
    """

    evidence: Evidence
    truth: Truth
    unsure: frozenset[str]
    size: tuple[int, int]
    tuning: bool

    def tells(self, name: str) -> bool:
        return name not in self.unsure

    def shows(self, name: str) -> bool:
        return name in self.truth.names


def examples(observer: Observer, vocabulary: Vocabulary) -> list[Example]:
    """All that is fitted to, the tuning half first."""

    def look(data: bytes, truth: Truth, unsure: frozenset[str], *, tuning: bool) -> Example:
        pixels, _ = decoded(data, max_side=TaggingEngine.WORKING_SIDE, max_pixels=_MOST_PIXELS)
        height, width = pixels.shape[:2]
        return Example(observer.look(pixels, never_cancelled), truth, unsure, (width, height), tuning)

    found = [look(one.data, Truth(one.shown, one.things), one.unsure, tuning=True) for one in photographs("tuning", vocabulary)]
    for row in rows("scenes.tsv"):
        shown, unsure = implied(row["shown"].split(), vocabulary), implied(row["unsure"].split(), vocabulary)
        found.append(look(content(row["package"], row["path"]), Truth(shown, ()), unsure - shown, tuning=False))
    return found
