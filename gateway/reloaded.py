"""What is made of files and made anew when they change, without a restart. What cannot be used changes nothing."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_Signature = tuple[tuple[int, ...] | None, ...]

Observer = Callable[[bool], None]
"""Told of each attempt to make it anew whether that succeeded."""


def unobserved(succeeded: bool) -> None:  # the only thing that it is told
    """The observer that nobody listens to."""


class Reloaded(Generic[_T]):
    """Holds what `load` made of files; looks at them at intervals and makes it anew.

    Files are looked at and read in threads. A change is a new size, time or inode of what the path leads to, by which the swapped
    links of mounted secrets are noticed as well.
    """

    def __init__(
        self,
        what: str,
        files: Sequence[Path],
        load: Callable[[], _T],
        *,
        interval: float,
        observer: Observer = unobserved,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Load for the first time, here and now. Raises what `load` raises: `ValueError`, `OSError`, with messages fit for logs.

        `what`: as logs call it. `interval`: seconds between two looks.
        """
        self._what = what
        self._files = files
        self._load = load
        self._interval = interval
        self._observer = observer
        self._sleep = sleep
        self._seen = self._signature()
        self._loading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.current: _T = load()

    def start(self) -> None:
        """Look from now on, until `aclose`."""
        self._task = asyncio.create_task(self._watch(), name=f"watch {self._what}")

    async def aclose(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def reload(self) -> bool:
        """Make it anew, changed or not; whether that could be done. Never raises."""
        async with self._loading:
            # Before the files are read: a change in between is noticed at the next look.
            seen = await asyncio.to_thread(self._signature)
            try:
                made = await asyncio.to_thread(self._load)
            except (ValueError, OSError) as error:
                self._seen = seen
                _log.error("%s: not taken anew, what was read before stays in force: %s", self._what, error)
                self._observer(False)  # see `Observer`
                return False
            self._seen, self.current = seen, made
            _log.info("%s: read anew", self._what)
            self._observer(True)  # likewise
            return True

    async def look(self) -> None:
        """Make it anew if a file has changed since it was last tried."""
        if await asyncio.to_thread(self._signature) != self._seen:
            await self.reload()

    async def _watch(self) -> None:
        while True:
            await self._sleep(self._interval)
            try:
                await self.look()
            except Exception:  # noqa: BLE001  # logged whole; a watch that dies would let certificates expire
                _log.exception("%s: could not be looked at", self._what)

    def _signature(self) -> _Signature:
        return tuple(_signature(file) for file in self._files)


def _signature(file: Path) -> tuple[int, ...] | None:
    try:
        facts = file.stat()
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
