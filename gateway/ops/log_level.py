"""The level of the log, changed while the process runs."""

import asyncio
import logging
from typing import Final

LEVELS: Final = ("debug", "info", "warning", "error")

MAX_SECONDS: Final = 86_400.0

_log = logging.getLogger(__name__)


class LogLevel:
    """The root logger's level, which goes back by itself if a change is for a time. Lives inside one event loop."""

    def __init__(self) -> None:
        self._logger = logging.getLogger()
        self._usual = self._logger.level
        self._back: asyncio.TimerHandle | None = None

    def shown(self) -> dict[str, object]:
        """The level, and for how many seconds it holds, if not for good."""
        shown: dict[str, object] = {"level": _name(self._logger.level), "usual": _name(self._usual)}
        if self._back is not None:
            shown["seconds_left"] = round(max(0.0, self._back.when() - asyncio.get_running_loop().time()), 1)
        return shown

    def set(self, level: str, seconds: float | None) -> None:
        """Log from `level`, one of `LEVELS`, on; for so many seconds, or for good."""
        self.aclose()
        number = logging.getLevelNamesMapping()[level.upper()]
        self._logger.setLevel(number)
        if seconds is None:
            self._usual = number
        else:
            self._back = asyncio.get_running_loop().call_later(seconds, self._restore)
        _log.warning("log level: %s%s", level, "" if seconds is None else f" for {seconds:g} s")

    def adopt(self, level: str) -> None:
        """The settings name another level: from now on, or once a change that is for a time is over."""
        self._usual = logging.getLevelNamesMapping()[level.upper()]
        if self._back is None:
            self._logger.setLevel(self._usual)

    def aclose(self) -> None:
        """Forget that it is to go back."""
        if self._back is not None:
            self._back.cancel()
            self._back = None

    def _restore(self) -> None:
        self._back = None
        _log.warning("log level: %s again", _name(self._usual))
        self._logger.setLevel(self._usual)


def _name(level: int) -> str:
    return logging.getLevelName(level).lower()
