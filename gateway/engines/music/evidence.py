"""What several pieces of one recording say together of the song that is playing."""

import math
from dataclasses import dataclass
from typing import Final

_SAME_OFFSET: Final = 0.5
"""Seconds: a song that plays on is at the same offset in every piece, but for the rounding of players and recorders."""

_FARTHEST: Final = 700.0
"""Beyond that, `math.exp` overflows."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What one piece says: `song` (its number) was `offset` seconds on when the whole recording began, with such odds."""

    song: int
    offset: float
    log_odds: float

    def agrees(self, other: "Hint") -> bool:
        """Whether both are of one song that plays on from one to the other."""
        return self.song == other.song and abs(self.offset - other.offset) <= _SAME_OFFSET


class Evidence:
    """Collects hints. Those that agree add up; each further piece was one more chance to agree with some song by accident, so
    the odds are divided by the number of pieces (Bonferroni's correction)."""

    def __init__(self) -> None:
        self._hints: list[Hint] = []

    def add(self, hint: Hint) -> None:
        """Take what one more piece says."""
        self._hints.append(hint)

    def best(self) -> Hint | None:
        """The likeliest song, with the odds that all pieces give it; None before the first."""
        return max((self._weighed(hint) for hint in self._hints), key=lambda hint: hint.log_odds, default=None)

    def _weighed(self, hint: Hint) -> Hint:
        others = sum(max(0.0, other.log_odds) for other in self._hints if other is not hint and other.agrees(hint))
        return Hint(hint.song, hint.offset, hint.log_odds + others - math.log(len(self._hints)))


def confidence(log_odds: float) -> float:
    """A probability in percent, 0–100, of its natural log odds."""
    return 100 / (1 + math.exp(min(_FARTHEST, -log_odds)))
