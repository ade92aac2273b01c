"""Where key sets come from: a file, or a URL that may be down."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from gateway.access.jwk_set import JwkSet
from gateway.reloaded import Reloaded

_log = logging.getLogger(__name__)

MAX_BYTES: Final = 1 << 20

_MOST_DOUBLINGS: Final = 32
"""Of the pause after a failure: the interval of renewals is reached long before."""

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets a URL. Raises `Exception` if that fails, `GatewayError` of all; bounds time and size by itself."""

Observer = Callable[[bool], None]


class KeySource(Protocol):
    """Has the keys that are trusted now."""

    async def keys(self, key_id: str) -> JwkSet | None:
        """The set, renewed first if it lacks `key_id` and that may help; None if there is none yet, or none any more."""

    async def reload(self) -> None:
        """Renew it."""

    async def aclose(self) -> None:
        """Stop renewing it."""


class KeyFile:
    """Keys of a file."""

    def __init__(self, file: Reloaded[JwkSet]) -> None:
        self._file = file
        file.start()

    async def keys(self, key_id: str) -> JwkSet:
        """See `KeySource`. A file is watched: looking again helps nobody."""
        del key_id
        return self._file.current

    async def reload(self) -> None:
        """See `KeySource`."""
        await self._file.reload()

    async def aclose(self) -> None:
        """See `KeySource`."""
        await self._file.aclose()


class KeyUrl:
    """Keys behind a URL: renewed ahead of time, and early for a key that is new. While the URL is down it is tried after growing
    pauses, and the old ones serve, but not for ever: keys that were withdrawn may be among them."""

    def __init__(  # noqa: PLR0913  # what tests put in its place has a default
        self,
        url: str,
        fetch: Fetch,
        read: Callable[[bytes], JwkSet],
        *,
        refresh: float,
        pause: float,
        max_age: float,
        clock: Callable[[], float],
        observer: Observer,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`read` raises `ValueError` for what is no key set. `refresh`: seconds between two fetches; `pause`: the least between
        two, however many tokens name keys that nobody knows, and the first after a failure. `max_age`: seconds after which keys
        that could not be renewed serve no more. `clock` counts seconds from any instant on."""
        self._url = url
        self._fetch = fetch
        self._read = read
        self._refresh = refresh
        self._pause = pause
        self._max_age = max_age
        self._clock = clock
        self._observer = observer
        self._sleep = sleep
        self._set: JwkSet | None = None
        self._set_at = 0.0
        self._failures = 0  # since the last success
        self._tried_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Fetch, and go on in the background. If it fails, tokens are refused until it succeeds."""
        await self._renewed()
        self._task = asyncio.create_task(self._run(), name="renew JWK set")

    async def keys(self, key_id: str) -> JwkSet | None:
        """See `KeySource`."""
        trusted = self._trusted()
        if trusted is None or (key_id and not trusted.has(key_id)):
            await self._renewed(early=True)
            trusted = self._trusted()
        return trusted

    async def reload(self) -> None:
        """See `KeySource`."""
        await self._renewed()

    async def aclose(self) -> None:
        """See `KeySource`."""
        for task in (self._task, self._fetching):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    def _trusted(self) -> JwkSet | None:
        """The set, unless it is too old."""
        return self._set if self._clock() < self._set_at + self._max_age else None

    async def _renewed(self, *, early: bool = False) -> None:
        """Fetch once, however many ask; `early`: only if the last time is long enough ago."""
        if self._fetching is None or self._fetching.done():
            if early and self._tried_at is not None and self._clock() < self._tried_at + self._pause:
                return
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._renew(), name="fetch JWK set")
        await asyncio.shield(self._fetching)  # whoever leaves does not end it for the others

    async def _renew(self) -> None:
        asked_at = self._clock()
        try:
            self._set = self._read(await self._fetch(self._url))
        except Exception as error:  # noqa: BLE001  # whatever fetching raises: what was fetched before serves on
            # Neither the URL, which may hold a secret, nor what came.
            why = str(error) if isinstance(error, ValueError) else type(error).__name__
            left = "those of before serve on" if self._trusted() is not None else "tokens are refused"
            _log.warning("the key set of access.jwt_keys cannot be renewed, %s: %s", left, why)
            self._failures += 1
            self._observer(False)  # whether it succeeded
        else:
            self._set_at, self._failures = asked_at, 0
            self._observer(True)  # likewise

    async def _run(self) -> None:
        while True:
            await self._sleep(self._until_next())
            await self._renewed()

    def _until_next(self) -> float:
        """Seconds: after a failure not as many as after a success, and more after each."""
        if not self._failures:
            return self._refresh
        return min(self._pause * 2.0 ** min(self._failures - 1, _MOST_DOUBLINGS), max(self._pause, self._refresh))
