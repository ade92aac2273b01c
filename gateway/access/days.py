"""Days of UTC, by which budgets are counted."""

from datetime import UTC, datetime
from typing import Final

DAY_SECONDS: Final = 86_400.0


def day_of(now: float) -> str:
    """The day of an instant in seconds since the epoch, as ISO 8601 writes it: in the order of time."""
    return datetime.fromtimestamp(now, UTC).date().isoformat()


def until_midnight(now: float) -> float:
    """Seconds until the next day begins."""
    return DAY_SECONDS - now % DAY_SECONDS
