"""What several pieces of one recording say together of the song that is playing."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

_SAME_OFFSET: Final = 0.5
"""Seconds: a song that plays on is at the same offset in every piece, but for the rounding of players and recorders."""

_FARTHEST: Final = 700.0
"""Beyond that, `math.exp` overflows."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What one piece says: `song` (its number) was `offset` seconds on when the whole recording began, with such odds.

    `start`, `seconds`: where in the recording the piece begins, and how long it is.
    """

    song: int
    offset: float
    log_odds: float
    start: float
    seconds: float

    def agrees(self, other: "Hint") -> bool:
        """Whether both are of one song that plays on from one to the other."""
        return self.song == other.song and abs(self.offset - other.offset) <= _SAME_OFFSET

    def share_beyond(self, others: Iterable["Hint"]) -> float:
        """Part of the piece, 0 to 1, that none of `others` has heard: pieces of a short recording overlap."""
        return min(1.0, min((abs(self.start - other.start) for other in others), default=self.seconds) / self.seconds)


class Evidence:
    """Collects hints. Those that agree add up, as far as they have heard different sound; each further piece was one more chance
    to agree with some song by accident, so the odds are divided by how many there were (Bonferroni's correction)."""

    def __init__(self) -> None:
        self._hints: list[Hint] = []

    def add(self, hint: Hint) -> None:
        """Take what one more piece says."""
        self._hints.append(hint)

    def best(self) -> Hint | None:
        """The likeliest song, with the odds that all pieces give it; None before the first."""
        return max((self._weighed(hint) for hint in self._hints), key=lambda hint: hint.log_odds, default=None)

    def _weighed(self, hint: Hint) -> Hint:
        others = [other for other in self._hints if other is not hint]
        agreeing = _beyond(hint, [other for other in others if other.agrees(hint)])
        support = sum(share * max(0.0, other.log_odds) for other, share in agreeing)
        chances = 1 + sum(share for _, share in _beyond(hint, others))
        return replace(hint, log_odds=hint.log_odds + support - math.log(chances))


def _beyond(first: Hint, others: Sequence[Hint]) -> Iterator[tuple[Hint, float]]:
    """Each of `others`, with its share that neither `first` nor those before it have heard."""
    for number, other in enumerate(others):
        yield other, other.share_beyond([first, *others[:number]])


def confidence(log_odds: float) -> float:
    """A probability in percent, 0–100, of its natural log odds."""
    return 100 / (1 + math.exp(min(_FARTHEST, -log_odds)))
