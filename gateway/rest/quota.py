"""What a user or a project may do, and the count of what was done."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.rest.errors import RestError


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits; None stands for no limit."""

    calls_per_second: float | None = None
    burst: int | None = None
    """Calls that may come at once after a pause; unless given, those of one second, or one."""
    calls_at_once: int | None = None
    calls_per_month: int | None = None
    """Calls that succeeded, in a calendar month of UTC."""
    frozen: bool = False
    """Whether the account is in arrears."""
    subscribed: frozenset[str] | None = None
    """Operations that may be called; the others are answered as not subscribed to."""
    not_enabled: frozenset[str] = frozenset()
    """Operations that are answered as not enabled."""


class Quotas:
    """Counts calls. In memory: a restart begins anew, and every process counts its own."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns seconds since the epoch."""
        self._clock = clock
        self._meters: dict[str, _Meter] = {}

    def admit(self, operation: str, holders: Iterable[tuple[str, Quota]]) -> contextlib.AbstractContextManager[None]:
        """Admit a call that counts for each of `holders`: the name that its calls are counted under, and its quota.

        The call lasts as long as the context that is returned, which must be entered. One that is refused counts nowhere; one
        that ends in an exception does not count for the month. Raises `RestError`.
        """
        now = self._clock()
        meters = [self._meters.setdefault(name, _Meter(quota, now)) for name, quota in holders]
        for meter in meters:
            meter.check(operation, now)
        for meter in meters:
            meter.start()
        return _spanned(meters)


@contextlib.contextmanager
def _spanned(meters: list["_Meter"]) -> Iterator[None]:
    months = [meter.month for meter in meters]
    succeeded = False
    try:
        yield
        succeeded = True
    finally:
        for meter, month in zip(meters, months, strict=True):
            meter.end(month, succeeded=succeeded)


class _Meter:
    """The count for one quota. Calls in flight are taken for successes until they end, so that no more can succeed than may."""

    def __init__(self, quota: Quota, now: float) -> None:
        self._quota = quota
        self._capacity = float(quota.burst or max(1.0, quota.calls_per_second or 1.0))
        self._tokens = self._capacity
        self._filled_at = now
        self._at_once = 0
        self._this_month = 0
        self.month = _month(now)

    def check(self, operation: str, now: float) -> None:
        """Raise `RestError` if the quota does not allow another call of `operation` now."""
        quota = self._quota
        if quota.frozen:
            raise RestError("AIS.0027")
        if quota.subscribed is not None and operation not in quota.subscribed:
            raise RestError("AIS.0004")
        if operation in quota.not_enabled:
            raise RestError("AIS.0007")
        if self.month != _month(now):
            self.month, self._this_month = _month(now), 0
        if quota.calls_per_month is not None and self._this_month >= quota.calls_per_month:
            raise RestError("AIS.0032")
        if quota.calls_at_once is not None and self._at_once >= quota.calls_at_once:
            raise RestError("APIG.0308", f"({quota.calls_at_once} calls at once are allowed)", retry_after=1.0)
        if quota.calls_per_second is not None:
            # A clock that is set back must not take calls away.
            elapsed = max(0.0, now - self._filled_at)
            self._tokens = min(self._capacity, self._tokens + elapsed * quota.calls_per_second)
            self._filled_at = now
            if self._tokens < 1.0:
                pause = (1.0 - self._tokens) / quota.calls_per_second
                raise RestError("APIG.0308", f"({quota.calls_per_second:g} calls per second are allowed)", retry_after=pause)

    def start(self) -> None:
        """Count a call that was checked."""
        self._tokens -= 1.0
        self._at_once += 1
        self._this_month += 1

    def end(self, month: tuple[int, int], *, succeeded: bool) -> None:
        """Count the end of a call that was started in `month`."""
        self._at_once -= 1
        if not succeeded and month == self.month:
            self._this_month -= 1


def _month(now: float) -> tuple[int, int]:
    date = datetime.fromtimestamp(now, UTC)
    return date.year, date.month
