"""An event loop for callers that have none."""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from gateway.errors import GatewayError, Reason

_Resource = TypeVar("_Resource")
_Result = TypeVar("_Result")
_Argument = TypeVar("_Argument")


class LoopThread(Generic[_Resource]):
    """Runs coroutines for any number of threads in one of its own, with something that lives in its loop. It has to be closed."""

    def __init__(self, name: str, opened: Callable[[], AbstractAsyncContextManager[_Resource]]) -> None:
        """`opened` is called and entered in the thread, and left there on closing. Raises what it raises."""
        self._opened = opened
        # Reentrant: the garbage collector may settle an abandoned stream in the very thread that holds it.
        self._lock = threading.RLock()
        self._is_closed = False
        self._stop = asyncio.Event()
        started: concurrent.futures.Future[tuple[asyncio.AbstractEventLoop, _Resource]] = concurrent.futures.Future()
        # A daemon, so that a program that forgets to close it ends nevertheless.
        self._thread = threading.Thread(target=self._main, args=(started,), name=name, daemon=True)
        self._thread.start()
        self._loop, self.resource = started.result()

    def start(self, coroutine: Coroutine[Any, Any, _Result]) -> concurrent.futures.Future[_Result]:
        """Run it, without waiting for it. Raises `RuntimeError` once closed."""
        with self._lock:
            if self._is_closed:
                coroutine.close()
                msg = "the client is closed"
                raise RuntimeError(msg)
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """What it returns or raises; `GatewayError` with `CANCELLED` if this is closed meanwhile. An interrupt cancels it.
        Raises `RuntimeError` once closed."""
        return waited(self.start(coroutine))

    def post(self, function: Callable[[_Argument], object], argument: _Argument) -> None:
        """Call a function that may only be called in the loop, without waiting for it. Does nothing once closed."""
        with self._lock:
            if not self._is_closed:
                self._loop.call_soon_threadsafe(function, argument)

    def settle(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Run it to its end; once closed, there is nothing left to settle."""
        with self._lock:
            if self._is_closed:
                coroutine.close()
                return
            future = self.start(coroutine)
        if threading.current_thread() is not self._thread:  # the garbage collector may be, and would wait for itself
            with contextlib.suppress(concurrent.futures.CancelledError):
                future.result()

    def close(self) -> None:
        """Cancel what still runs, and end the thread. Does nothing the second time."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _main(self, started: "concurrent.futures.Future[tuple[asyncio.AbstractEventLoop, _Resource]]") -> None:
        try:
            asyncio.run(self._serve(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: "concurrent.futures.Future[tuple[asyncio.AbstractEventLoop, _Resource]]") -> None:
        async with self._opened() as resource:
            started.set_result((asyncio.get_running_loop(), resource))
            await self._stop.wait()


def waited(future: concurrent.futures.Future[_Result]) -> _Result:
    """What the future brings. Raises what it raises; `GatewayError` with `CANCELLED` if it was cancelled."""
    try:
        return future.result()
    except concurrent.futures.CancelledError as error:
        raise GatewayError(Reason.CANCELLED, "the client was closed before the gateway had answered") from error
    except BaseException:
        future.cancel()  # interrupted; without effect if it was the future that raised
        raise
