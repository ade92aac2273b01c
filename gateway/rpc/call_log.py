"""One line of the log for each call."""

import logging
import random
from collections.abc import Callable
from typing import Final

import grpc

from gateway.rpc.own_services import is_of_grpc
from gateway.telemetry.logs import FIELDS
from gateway.telemetry.scope import Scope
from gateway.telemetry.settings import CallLogLevel

_log = logging.getLogger("gateway.calls")

_GRAVE: Final = frozenset(
    {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS}
)
"""What callers cannot help."""


class CallLog:
    """Logs how calls end: those that fail always, the others at a level, and as often, as the settings say."""

    def __init__(self, level: CallLogLevel = "debug", share: float = 1.0, draw: Callable[[], float] = random.random) -> None:
        """`share`: that of the calls that succeed. `draw` returns a number from 0 up to 1."""
        self._level = {"debug": logging.DEBUG, "info": logging.INFO}[level]
        self._share = share
        self._draw = draw

    def ended(self, scope: Scope, code: grpc.StatusCode, seconds: float) -> None:
        """Log the call of `scope`, inside which this is to be called."""
        if code is grpc.StatusCode.OK:
            if not _log.isEnabledFor(self._level):
                return
            level = logging.DEBUG if is_of_grpc(scope.method) else self._level
            if not _log.isEnabledFor(level) or (self._share < 1 and self._draw() >= self._share):
                return
        elif is_of_grpc(scope.method):  # a watch ends by being cancelled
            level = logging.DEBUG
        else:
            level = logging.WARNING if code in _GRAVE else logging.INFO
        facts: dict[str, object] = {"method": scope.method, "code": code.name}
        facts |= {name: value for name in ("reason", "tenant") if (value := getattr(scope, name))}
        facts["seconds"] = round(seconds, 6)
        if scope.items:
            facts["items"] = dict(scope.items)
        _log.log(level, "call ended", extra={FIELDS: facts})
