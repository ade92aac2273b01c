"""Which counts of calls exist before anything happens.

`increase` and `rate` do not see a series' first event, which may be the one that an alert waits for.
"""

from typing import Final

import grpc

from gateway.errors import Reason
from gateway.rpc.status import CODES

_FAULTS: Final = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    }
)
"""What callers cannot help."""

_REASONS: Final = tuple(reason for reason, code in CODES.items() if code in _FAULTS or reason is Reason.OVERLOADED)

ENDINGS: Final = (
    (grpc.StatusCode.OK.name, ""),
    # An exception that nobody has caught, and a deadline that passed before anybody could say so.
    (grpc.StatusCode.UNKNOWN.name, ""),
    (grpc.StatusCode.DEADLINE_EXCEEDED.name, ""),
    *((CODES[reason].name, reason.value) for reason in _REASONS),
)
"""Status and reason of calls."""

OUTCOMES: Final = ("ok", *(reason.value for reason in _REASONS))
"""Of items."""
