"""No calls to what does not work."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import TracebackType
from typing import Final, Self

from gateway.errors import GatewayError, Reason
from gateway.upstream.outcome import Outcome
from gateway.upstream.resilience.failure_window import FailureWindow
from gateway.upstream.resilience.settings import BreakerSettings

_FAILURES: Final = frozenset({Outcome.NOT_SENT, Outcome.LOST, Outcome.FAILED, Outcome.MALFORMED})
_ANSWERS: Final = frozenset({Outcome.REFUSED, Outcome.UNAUTHENTICATED, Outcome.THROTTLED})
"""The service says no. That does not show that the operation works, so it does not count between failures; but it is alive, which
is what a probe is to find out. `STALE` is in neither set: it tells of one connection only."""

_JITTER: Final = 0.2
"""Replicas that were suspended at the same instant do not all probe at the same instant."""

_WHILE_PROBING: Final = 1.0
"""Seconds to wait that callers are told while a probe is under way; nobody knows when it ends."""


class BreakerState(StrEnum):
    """What becomes of a call now."""

    CLOSED = "closed"
    """It is made."""
    OPEN = "open"
    """It is not made."""
    HALF_OPEN = "half_open"
    """It is made, as a probe, if not too many are under way already."""


class Breaker:
    """Suspends one operation of one endpoint for a while once it fails (Nygard, "Release It!"; Envoy's outlier detection)."""

    def __init__(self, settings: BreakerSettings, clock: Callable[[], float], random: Callable[[], float]) -> None:
        """`clock`: seconds from any instant on. `random`: from 0 up to 1."""
        self._settings = settings
        self._clock = clock
        self._random = random
        self._window = FailureWindow(settings.window, clock)
        self._consecutive = 0
        self._open_until: float | None = None
        self._openings = 0  # since it was closed
        self._probes = 0
        self._generation = 0  # of the state: what was admitted in an earlier one tells nothing about this one

    def adopt(self, settings: BreakerSettings) -> None:
        """From now on by these settings. What is suspended stays so for as long as was said; another window begins empty."""
        if settings.window != self._settings.window:
            self._window = FailureWindow(settings.window, self._clock)
        self._settings = settings

    @property
    def state(self) -> BreakerState:
        """What becomes of a call now."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._open_until else BreakerState.HALF_OPEN

    def check(self) -> None:
        """Raise as `admit` would; nothing is admitted. For before the wait for a slot: `admit` is for after it."""
        if self._open_until is None:
            return
        left = self._open_until - self._clock()
        if left <= 0 and self._probes < self._settings.probes:
            return
        raise GatewayError(
            Reason.UPSTREAM_SUSPENDED,
            "too many calls of this operation failed at the cloud; none are made for a while",
            retry_after=left if left > 0 else _WHILE_PROBING,
        )

    def admit(self) -> "Passage":
        """Let an attempt through; it lasts until the context that is returned is left.

        Raises `GatewayError` with `UPSTREAM_SUSPENDED`, at once, while the operation is suspended.
        """
        self.check()
        if self._open_until is not None:
            self._probes += 1
        generation = self._generation
        return Passage(lambda outcome: self._ended(generation, outcome))

    def _ended(self, generation: int, outcome: Outcome | None) -> None:
        if generation != self._generation:
            return
        if self._open_until is None:
            self._count(outcome)
        else:
            self._probed(outcome)

    def _count(self, outcome: Outcome | None) -> None:
        if outcome is Outcome.SUCCESS:
            self._consecutive = 0
            self._window.record(failed=False)
        elif outcome in _FAILURES:
            self._consecutive += 1
            self._window.record(failed=True)
            if self._settings.enabled and self._is_failing():
                self._open()

    def _is_failing(self) -> bool:
        calls, failures = self._window.totals()
        by_share = calls >= self._settings.calls and failures >= self._settings.share * calls
        return by_share or self._consecutive >= self._settings.failures

    def _probed(self, outcome: Outcome | None) -> None:
        self._probes -= 1
        if outcome in _FAILURES:
            self._open()
        elif outcome is Outcome.SUCCESS or outcome in _ANSWERS:
            self._enter(open_until=None)
            self._openings = 0

    def _open(self) -> None:
        # Bounded before it is doubled too often for a float.
        doubled = self._settings.pause * 2.0 ** min(self._openings, 32)
        pause = min(self._settings.max_pause, doubled) * (1.0 - _JITTER * self._random())
        self._openings += 1
        self._enter(open_until=self._clock() + pause)

    def _enter(self, open_until: float | None) -> None:
        self._open_until = open_until
        self._generation += 1
        self._probes = 0
        self._consecutive = 0
        self._window.clear()


class Passage:
    """An attempt that a breaker let through. Left without an outcome, it was cancelled, and tells nothing."""

    def __init__(self, ended: Callable[[Outcome | None], None]) -> None:
        self._ended: Callable[[Outcome | None], None] | None = ended

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._end(None)

    def record(self, outcome: Outcome) -> None:
        """Say how the attempt ended. The first word counts."""
        self._end(outcome)

    def _end(self, outcome: Outcome | None) -> None:
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(outcome)


class Breakers:
    """One breaker for each operation of each endpoint: what fails for one may work for another."""

    def __init__(self, settings: BreakerSettings, clock: Callable[[], float], random: Callable[[], float]) -> None:
        """As for `Breaker`."""
        self._settings = settings
        self._clock = clock
        self._random = random
        self._breakers: dict[tuple[str, str], Breaker] = {}

    def adopt(self, settings: BreakerSettings) -> None:
        """From now on by these settings, all of them."""
        self._settings = settings
        for breaker in self._breakers.values():
            breaker.adopt(settings)

    def of(self, endpoint: str, operation: str) -> Breaker:
        """The breaker, made when it is first asked for and kept: endpoints and operations are the gateway's, and few."""
        key = endpoint, operation
        breaker = self._breakers.get(key)
        if breaker is None:
            breaker = self._breakers[key] = Breaker(self._settings, self._clock, self._random)
        return breaker

    def states(self) -> Mapping[tuple[str, str], BreakerState]:
        """Endpoint and operation → state, of those that were asked for."""
        return {key: breaker.state for key, breaker in self._breakers.items()}
