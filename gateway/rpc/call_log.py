"""One line of the log for each call."""

import logging
import random
import time
from collections.abc import Callable
from typing import Final

import grpc

from gateway.rpc.own_services import is_of_grpc
from gateway.telemetry.logs import FIELDS
from gateway.telemetry.ration import Ration
from gateway.telemetry.scope import Scope
from gateway.telemetry.settings import CallLogLevel

_log = logging.getLogger("gateway.calls")

_GRAVE: Final = frozenset(
    {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DATA_LOSS}
)
"""What callers cannot help."""


class CallLog:
    """Logs how calls end: those that succeed at a level, and as often, as the settings say; those that fail always, but of
    strangers so many a second of each level, and with the next how many were left out."""

    def __init__(
        self,
        level: CallLogLevel = "debug",
        share: float = 1.0,
        draw: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`share`: that of the calls that succeed. `draw` returns a number from 0 up to 1. `clock` counts seconds."""
        self._level = {"debug": logging.DEBUG, "info": logging.INFO}[level]
        self._share = share
        self._draw = draw
        # One each: what callers do wrong must not hide what they cannot help.
        self._strangers = {level: Ration(clock) for level in (logging.INFO, logging.WARNING)}

    def ended(self, scope: Scope, code: grpc.StatusCode, seconds: float) -> None:
        """Log the call of `scope`, inside which this is to be called."""
        level = self._level_of(scope, code)
        if not _log.isEnabledFor(level):
            return
        left_out: int | None = 0
        if code is grpc.StatusCode.OK:
            if self._share < 1 and self._draw() >= self._share:
                return
        elif level in self._strangers and not scope.is_known:
            left_out = self._strangers[level].take()
            if left_out is None:
                return
        facts: dict[str, object] = {"method": scope.method, "code": code.name}
        facts |= {name: value for name in ("reason", "tenant") if (value := getattr(scope, name))}
        facts["seconds"] = round(seconds, 6)
        if scope.items:
            facts["items"] = dict(scope.items)
        if left_out:
            facts["left_out"] = left_out
        _log.log(level, "call ended", extra={FIELDS: facts})

    def _level_of(self, scope: Scope, code: grpc.StatusCode) -> int:
        if is_of_grpc(scope.method):  # a watch ends by being cancelled
            return logging.DEBUG
        if code is grpc.StatusCode.OK:
            return self._level
        return logging.WARNING if code in _GRAVE else logging.INFO
