"""Taking up changed settings while the gateway runs."""

import functools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from gateway.config.declared import declared_settings
from gateway.config.settings import ConfigError, GatewaySettings

_log = logging.getLogger(__name__)

Apply = Callable[[GatewaySettings], None]
"""Told of settings of which some have changed. Must not fail: everything is checked before."""

Refresh = Callable[[], Awaitable[object]]
"""Reads files anew, and logs what came of it. Must not fail: what cannot be used is left as it is."""


class Reload:
    """Reads the settings anew on demand, and gives those that can change now to whom they concern.

    A setting takes effect if its declaration says that it can (`reload`) and somebody has registered for it. What needs a
    restart stays as it is, for callbacks, too, until then.
    """

    def __init__(self, read: Callable[[], GatewaySettings], current: GatewaySettings) -> None:
        """`read` raises `ConfigError`; `current` are the settings that the process was started with."""
        self._read = read
        self._current = current
        self._applied: list[tuple[frozenset[str], Apply]] = []
        self._refreshed: list[Refresh] = []

    @property
    def current(self) -> GatewaySettings:
        """The settings in force."""
        return self._current

    @property
    def paths(self) -> frozenset[str]:
        """The settings that somebody has registered for."""
        return frozenset().union(*(paths for paths, _ in self._applied))

    def register(self, paths: Iterable[str], apply: Apply) -> None:
        """Have `apply` called when one of the settings `paths` has changed."""
        self._applied.append((frozenset(paths), apply))

    def register_files(self, refresh: Refresh) -> None:
        """Have `refresh` called each time, whatever has changed."""
        self._refreshed.append(refresh)

    async def now(self) -> None:
        """Read everything anew; the log says what came of it. Settings that cannot be used change nothing."""
        try:
            wanted = self._read()
        except ConfigError as error:
            _log.error("the settings are left as they are, since what was read has problems:")  # lines follow
            for problem in error.problems:
                _log.error("%s", problem)  # a list, no exception to be traced
            return
        changed = changed_settings(self._current, wanted)
        effective = {path for path in changed if path in reloadable() and path in self.paths}
        self._current = _with(self._current, wanted, effective)
        for paths, apply in self._applied:
            if effective & paths:
                apply(self._current)
        self._report(sorted(effective), sorted(set(changed) - effective))
        for refresh in self._refreshed:
            await refresh()

    def _report(self, effective: list[str], later: list[str]) -> None:
        if effective:
            _log.info("settings that took effect: %s", ", ".join(effective))
        if later:
            _log.warning("settings that need a restart to take effect: %s", ", ".join(later))
        if not effective and not later:
            _log.info("no setting has changed")


def changed_settings(old: GatewaySettings, new: GatewaySettings) -> list[str]:
    """The paths of those that differ."""
    before, after = _values(old), _values(new)
    return [path for path, value in after.items() if value != before[path]]


def _values(settings: GatewaySettings) -> Mapping[str, Any]:
    return {
        setting.path: getattr(getattr(settings, setting.room) if setting.room else settings, setting.name)
        for setting in declared_settings()
    }


def reloadable(*rooms: str) -> frozenset[str]:
    """The paths of the settings that are declared to change while the gateway runs: of these rooms, or of all."""
    return frozenset(path for path in _reloadable() if not rooms or path.partition(".")[0] in rooms)


@functools.cache
def _reloadable() -> frozenset[str]:
    return frozenset(setting.path for setting in declared_settings() if setting.reloads)


def _with(old: GatewaySettings, new: GatewaySettings, paths: Iterable[str]) -> GatewaySettings:
    """`old`, but with the values that `new` has at `paths`."""
    rooms: dict[str, dict[str, Any]] = {}
    top: dict[str, Any] = {}
    for path in paths:
        room, _, name = path.rpartition(".")
        if room:
            rooms.setdefault(room, {})[name] = getattr(getattr(new, room), name)
        else:
            top[name] = getattr(new, name)
    top |= {room: getattr(old, room).model_copy(update=values) for room, values in rooms.items()}
    return old.model_copy(update=top)
