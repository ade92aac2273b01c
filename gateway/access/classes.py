"""The classes of tenants that there are: series by them that alerts ask for are there before the first event."""

from collections.abc import Callable, Iterable


class TenantClasses:
    """Grows as rosters are read. Classes stay that no tenant has any more, as their series do."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}  # in the order of their coming
        self._watchers: list[Callable[[str], None]] = []

    def learn(self, names: Iterable[str]) -> None:
        """Tell those who watch of the classes that are new. In the event loop's thread."""
        for name in sorted(set(names) - self._known.keys()):
            self._known[name] = None
            for watcher in self._watchers:
                watcher(name)

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Have `watcher` called for each class, once: those that are known now, and each that is new later."""
        self._watchers.append(watcher)
        for name in self._known:
            watcher(name)
