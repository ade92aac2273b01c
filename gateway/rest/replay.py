"""Signed requests that were seen before.

A signature holds for as long as its signing time is accepted, 15 minutes to either side of now, for whoever has it. So every
accepted one is kept for that time, and the same one is refused. Signing times are whole seconds: two honest requests alike
in the same second, from two replicas at their start for instance, carry the same signature. It may therefore come again for
a short grace after it came first, at which time it is worth nothing that its owner did not just ask for.
"""

from collections.abc import Callable
from typing import Final

MOST_KEPT: Final = 65_536
"""Signatures kept for one user; some 10 MB."""


class ReplayError(Exception):
    """A request that was answered before; the message may be shown."""


class Replays:
    """The signatures that were accepted, for each user. In memory: a restart forgets, and no two processes share it."""

    def __init__(self, clock: Callable[[], float], lifetime: float, grace: float, most_kept: int = MOST_KEPT) -> None:
        """`lifetime` is for how long after its signing time a signature is accepted at all, `grace` as above; both in seconds."""
        self._clock = clock
        self._lifetime = lifetime
        self._grace = grace
        self._most_kept = most_kept
        self._users: dict[str, _Seen] = {}

    def check(self, user_id: str, signature: str, signed_at: float) -> None:
        """Raise `ReplayError` if this signature was remembered, longer ago than the grace, or if that cannot be told."""
        now = self._clock()
        if signed_at < now - self._lifetime:
            # It was young enough when its headers came, but its body took long; by now, it may have been forgotten.
            msg = "the request was signed more than 15 minutes from now"
            raise ReplayError(msg)
        seen = self._users.get(user_id)
        if seen is None:
            return
        first = seen.first_arrival(signature, signed_at)
        if first is not None and not 0 <= now - first < self._grace:
            msg = "the same signed request came before; sign every request anew"
            raise ReplayError(msg)
        if first is None and signed_at <= seen.forgotten_until:
            # Whether it came before is not known any more.
            msg = "too many requests were signed since; is the clock right?"
            raise ReplayError(msg)

    def remember(self, user_id: str, signature: str, signed_at: float) -> None:
        """Keep a signature that `check` let pass.

        At the limit of what is kept for a user, those signed earliest are forgotten, and what that user signed at their time or
        before is refused from then on: the window of accepted signing times narrows, and no replay passes. Other users are
        not affected.
        """
        seen = self._users.setdefault(user_id, _Seen())
        now = self._clock()
        seen.add(signature, signed_at, now)
        seen.forget_signed_before(now - self._lifetime)
        while seen.count > self._most_kept:
            seen.forget_earliest()


class _Seen:
    """One user's signatures by signing time, each with the time at which it came first."""

    def __init__(self) -> None:
        self._by_time: dict[float, dict[bytes, float]] = {}
        self._earliest = float("inf")
        self.count = 0
        self.forgotten_until = float("-inf")

    def first_arrival(self, signature: str, signed_at: float) -> float | None:
        return self._by_time.get(signed_at, {}).get(bytes.fromhex(signature))

    def add(self, signature: str, signed_at: float, now: float) -> None:
        together = self._by_time.setdefault(signed_at, {})
        before = len(together)
        together.setdefault(bytes.fromhex(signature), now)
        self.count += len(together) - before
        self._earliest = min(self._earliest, signed_at)

    def forget_signed_before(self, limit: float) -> None:
        """Drop what is too old to be accepted in any case."""
        while self._earliest < limit:
            self._drop(self._earliest)

    def forget_earliest(self) -> None:
        self.forgotten_until = self._earliest
        self._drop(self._earliest)

    def _drop(self, signed_at: float) -> None:
        self.count -= len(self._by_time.pop(signed_at))
        self._earliest = min(self._by_time, default=float("inf"))
