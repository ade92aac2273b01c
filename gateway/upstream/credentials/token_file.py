"""A token in a file: the store of replicas that share a folder."""

import asyncio
import contextlib
import fcntl
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from gateway.upstream.credentials.token import Token
from gateway.upstream.credentials.token_document import MAX_BYTES, read_token, write_token
from gateway.upstream.credentials.token_store import TURN_LIMIT

_log = logging.getLogger(__name__)

_TURN_POLL: Final = 0.1


class FileTokenStore:
    """Keeps the token of one account in a folder, readable by this user only. Files are read and written in threads."""

    def __init__(self, folder: Path, account: str, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """`account` names the file; `sleep` waits for some seconds."""
        self._path = folder / f"token-{account}.json"
        self._lock_path = folder / f"token-{account}.lock"
        self._sleep = sleep

    async def load(self) -> Token | None:
        """The saved token; None if there is none, or none that can be read."""
        return await asyncio.to_thread(self._load)

    async def save(self, token: Token) -> None:
        """Replace the file in one step: readers see the old token or the new one."""
        try:
            await asyncio.to_thread(self._save, token)
        except OSError as error:
            _log.warning("the token cannot be saved for other replicas (%s)", error.strerror)

    async def forget(self, token: Token) -> None:
        """Remove the file if it holds `token`."""
        await asyncio.to_thread(self._forget, token)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold the lock file's lock, which the system ends with the process, or go on without it after `TURN_LIMIT`."""
        async with contextlib.AsyncExitStack() as held:
            for _ in range(round(TURN_LIMIT / _TURN_POLL)):
                opening = asyncio.ensure_future(asyncio.to_thread(self._lock))
                try:
                    descriptor = await asyncio.shield(opening)
                except asyncio.CancelledError:
                    opening.add_done_callback(_close_late)  # else a lock taken by the thread would stay for good
                    raise
                except OSError as error:
                    _log.warning("replicas cannot take turns to sign in (%s)", error.strerror)
                    break
                if descriptor is not None:
                    held.callback(os.close, descriptor)
                    break
                await self._sleep(_TURN_POLL)
            yield

    def _load(self) -> Token | None:
        try:
            with self._path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            _log.warning("the token of other replicas cannot be read (%s)", error.strerror)
            return None
        token = read_token(content) if len(content) <= MAX_BYTES else None
        if token is None:
            _log.warning("the file with the token of other replicas is damaged; it is left aside")
        return token

    def _save(self, token: Token) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=".token-")  # of mode 0600
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(write_token(token))
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _forget(self, token: Token) -> None:
        kept = self._load()
        if kept is not None and kept.value == token.value:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _lock(self) -> int | None:
        """The descriptor that holds the lock; None while another process does. Raises `OSError`."""
        self._lock_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor


def _close_late(opening: "asyncio.Future[int | None]") -> None:
    if not opening.cancelled() and opening.exception() is None and (descriptor := opening.result()) is not None:
        os.close(descriptor)
