"""A few workers that decode, one picture each at a time, and are replaced when they are worn, stuck or dead."""

import asyncio
import contextlib
import logging
import math
import signal
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Final, NoReturn, Self

from gateway.breadth.process import SCRIPT, ProtocolError, WorkerEndedError, WorkerProcess
from gateway.breadth.reply import (
    EXTRA_HINT,
    Decoded,
    Failed,
    ForeignImage,
    Missing,
    answer,
    greeting,
    over_limit,
    refuse,
)
from gateway.breadth.settings import BreadthSettings
from gateway.breadth.worker.wire import EXIT_MEMORY, Failure, Format, recognise
from gateway.errors import GatewayError, Reason

_log = logging.getLogger(__name__)

START_TIMEOUT: Final = 30.0
"""Seconds in which a worker must have loaded its decoders; it takes a tenth of one, unless the machine is short of everything."""

_CPU_SIGNALS: Final = frozenset({-signal.SIGPROF, -signal.SIGXCPU})
_FOREIGN_SIGNALS: Final = frozenset({-signal.SIGKILL, -signal.SIGTERM})


class BreadthPool:
    """Decodes what the native core does not, in processes of its own; none is started before the first picture needs it.

    Each call has a worker to itself for as long as it takes. A worker whose call did not end in an answer, whatever the
    reason, cancellation included, is killed and never used again, so no call can get another one's pixels.
    """

    def __init__(self, settings: BreadthSettings, *, command: Sequence[str] | None = None) -> None:
        """`command` is what starts a worker, instead of the one that `settings` describe."""
        self._settings = settings
        self._formats = settings.allowed_formats()
        self._command = tuple(command) if command is not None else _command(settings)
        self._slots = asyncio.Semaphore(settings.workers)
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._ending: set[asyncio.Task[int]] = set()
        self._missing = False  # of PIL: known once, and true until the gateway is started anew
        self._closed = False
        self._closing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Kill every worker and wait until all are gone. Calls under way, and later ones, get `SHUTTING_DOWN`."""
        self._closed = True
        for worker in self._busy:
            worker.kill()  # its call does the rest
        while self._idle:
            self._end(self._idle.pop())
        # With every place taken, no call has a worker, or is starting one. One closer at a time, or two share the places.
        async with self._closing, contextlib.AsyncExitStack() as places:
            for _ in range(self._settings.workers):
                await places.enter_async_context(self._slots)
            await asyncio.gather(*self._ending)

    async def decode(self, data: bytes, *, max_pixels: int) -> ForeignImage:
        """Decode the first frame of `data` if it has at most `max_pixels` pixels. Raises `GatewayError`.

        Waits for a free worker, for as long as it takes; `timeout` counts from then on.
        """
        kind = self._kind(data)
        async with self._slots:
            return await self._decode(data, kind, max_pixels)

    def _kind(self, data: bytes) -> Format:
        if not data:
            raise GatewayError(Reason.IMAGE_EMPTY, "the picture has no bytes", field="content")
        kind = recognise(data)
        if kind is None or kind not in self._formats:
            raise GatewayError(
                Reason.IMAGE_FORMAT_UNSUPPORTED,
                f"{kind.upper()} files are not decoded here" if kind else "the bytes are of no format that is decoded here",
                field="content",
                measured=kind or "",
                allowed=self._settings.formats.replace(",", ", "),
            )
        return kind

    async def _decode(self, data: bytes, kind: Format, max_pixels: int) -> ForeignImage:
        worker = await self._take(kind)
        keep = False
        try:
            async with asyncio.timeout(self._settings.timeout):
                await worker.send({"format": kind, "max_pixels": max_pixels}, data)
                header, pixels = await worker.receive(answer, max_payload=4 * max_pixels)
            keep = _may_go_on(header, pixels, max_pixels) and worker.asked < self._settings.pictures_per_worker
        except TimeoutError as error:
            raise over_limit(kind, "time", f"{self._settings.timeout:g} s") from error
        except ProtocolError as error:
            _log.error("a breadth worker did not keep to the protocol, as one does that a picture has taken over: %s", error)
            raise _rejected(f"the {kind.upper()} picture upset its decoder") from error
        except WorkerEndedError as error:
            self._explain(error, kind)
        finally:
            self._put_back(worker, keep=keep)
        if isinstance(header, Failed):
            refuse(header, kind, max_pixels=max_pixels, memory=self._settings.memory)
        return ForeignImage(
            width=header.width,
            height=header.height,
            pixels=pixels,
            format=kind.value,
            orientation=header.orientation,
            notes=header.notes,
        )

    async def _take(self, kind: Format) -> WorkerProcess:
        """A worker for the caller alone, in `_busy`."""
        self._check_open()
        while self._idle:
            worker = self._idle.pop()
            if worker.is_alive:
                self._busy.add(worker)
                return worker
            self._end(worker)  # ended between two pictures, which costs none
        if self._missing:
            raise _not_installed(kind)
        try:
            worker = await WorkerProcess.start(self._command)
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            _log.error("breadth workers cannot be started: %s; see the setting breadth.python", error)
            raise _not_installed(kind) from error
        except OSError as error:  # no memory, no file descriptors, too many processes
            raise _does_not_start() from error
        self._busy.add(worker)
        ready = False
        try:
            self._check_open()  # it may have been closed meanwhile, too early to know of this worker
            await self._greet(worker, kind)
            ready = True
        finally:
            if not ready:
                self._put_back(worker, keep=False)
        return worker

    async def _greet(self, worker: WorkerProcess, kind: Format) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT):
                hello, _ = await worker.receive(greeting, max_payload=0)
        except (TimeoutError, ProtocolError, WorkerEndedError) as error:
            self._check_open()
            _log.error("a breadth worker did not start: %r", error)
            raise _does_not_start() from error
        if isinstance(hello, Missing):
            self._missing = True
            _log.error("breadth workers find no PIL (no module %s); %s", ascii(hello.missing), EXTRA_HINT)
            raise _not_installed(kind)
        _log.info("breadth worker started: PIL %s with %s", ascii(hello.version), ascii(", ".join(hello.features)))
        if not hello.sealed:
            _log.warning("a breadth worker's system calls are not filtered: that needs Linux on x86-64")

    def _put_back(self, worker: WorkerProcess, *, keep: bool) -> None:
        self._busy.discard(worker)
        if keep and not self._closed:
            self._idle.append(worker)
        else:
            self._end(worker)

    def _end(self, worker: WorkerProcess) -> None:
        task = worker.end()
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _check_open(self) -> None:
        if self._closed:
            raise GatewayError(Reason.SHUTTING_DOWN, "this gateway is stopping")

    def _explain(self, error: WorkerEndedError, kind: Format) -> NoReturn:
        """Raise what it means to a caller that the worker ended while it had the caller's picture."""
        self._check_open()
        _log.warning("a breadth worker ended over a %s file: %s", kind.upper(), error)
        if error.status == EXIT_MEMORY:
            raise over_limit(kind, "memory", f"{self._settings.memory >> 20} MiB") from error
        if error.status in _CPU_SIGNALS:
            raise over_limit(kind, "time", f"{self._settings.timeout:g} s") from error
        if error.status in _FOREIGN_SIGNALS:  # by the system when it is out of memory, or by somebody
            raise GatewayError(Reason.INTERNAL, "the decoder for rarer formats was killed; try again") from error
        raise GatewayError(
            Reason.IMAGE_REJECTED, f"the decoder crashed on the {kind.upper()} picture", field="content"
        ) from error


def _may_go_on(header: Decoded | Failed, pixels: bytes, max_pixels: int) -> bool:
    """Whether the worker may be used again. Raises `ProtocolError` if header and pixels do not fit together."""
    if len(pixels) != header.payload or (isinstance(header, Decoded) and header.width * header.height > max_pixels):
        msg = "pixels that are not what their header says"
        raise ProtocolError(msg)
    return isinstance(header, Decoded) or header.failure not in {Failure.MEMORY, Failure.BROKEN}


def _command(settings: BreadthSettings) -> tuple[str, ...]:
    python = str(settings.python.absolute()) if settings.python is not None else sys.executable
    # -I: no environment variables, no user's packages, no current folder. -B: files cannot be written anyway.
    # The clock on the wall is the pool's affair; CPU time ends a worker even if the gateway is not there to do it.
    limits = (settings.memory, math.ceil(settings.timeout) + 1, settings.pictures_per_worker)
    return (python, "-I", "-B", str(SCRIPT), *map(str, limits))


def _does_not_start() -> GatewayError:
    return GatewayError(Reason.INTERNAL, "the decoder for rarer formats does not start")


def _rejected(message: str) -> GatewayError:
    return GatewayError(Reason.IMAGE_REJECTED, message, field="content")


def _not_installed(kind: Format) -> GatewayError:
    return GatewayError(
        Reason.IMAGE_FORMAT_UNSUPPORTED,
        f"{kind.upper()} files cannot be decoded on this gateway as it is installed; its operator can {EXTRA_HINT}",
        field="content",
        measured=kind,
    )
