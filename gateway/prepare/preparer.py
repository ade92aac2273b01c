"""Preparing pictures: one, many, or from an event loop."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Final, Self, TypeVar

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry

from gateway import _native
from gateway.boxes import is_sideways
from gateway.breadth.pool import BreadthPool
from gateway.errors import GatewayError, Reason
from gateway.image_error import image_error
from gateway.media import ImageFacts, PreparationAction, PreparedImage
from gateway.prepare.metrics import PrepareMetrics
from gateway.prepare.operations import Operation
from gateway.prepare.options import Convert, PrepareOptions, policy
from gateway.prepare.settings import PrepareSettings
from gateway.telemetry.stage import stage

INLINE_BYTES: Final = 256 << 10
"""Up to this size a file whose pixels stay is prepared where the call stands: looking at it, and copying it without its
metadata, takes less than a hop to a thread and back (`make bench-prepare`)."""

_T = TypeVar("_T")

_DEFAULTS: Final = PrepareOptions()


class Preparer:
    """Makes pictures fit an operation, on as many threads as the settings say.

    Whoever needs formats beyond JPEG, PNG, BMP and WEBP gives it a `BreadthPool`, and closes that.
    """

    def __init__(
        self,
        settings: PrepareSettings,
        breadth: BreadthPool | None = None,
        *,
        foreign_at_once: int = 1,
        metrics: PrepareMetrics | None = None,
    ) -> None:
        """`foreign_at_once`: how many pictures of other formats are decoded, or wait decoded for a thread, at a time.

        `settings.memory` is for whoever puts the process together: the bound is the process's, not a preparer's.
        """
        self._max_pixels = settings.max_pixels
        self._metrics = metrics or PrepareMetrics(CollectorRegistry())
        self._breadth = breadth
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="prepare")
        self._batch = settings.workers * 2
        # The bound on memory counts what the native core decodes; of what the pool decoded, it is the number that is bounded.
        self._foreign = asyncio.Semaphore(foreign_at_once)
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what has not begun; what has begun ends within a picture's time."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def inspect(
        self, data: bytes, operation: Operation = Operation.TAGGING, options: PrepareOptions = _DEFAULTS
    ) -> tuple[_native.ImageInfo, _native.Plan]:
        """What `data` is, and what would be done to it. Decodes nothing, but for a look at its colour profile.

        Raises `GatewayError` for what `prepare` would refuse as well, as far as headers tell.
        """
        try:
            plan = _native.plan(data, policy(operation, options, self._max_pixels))
        except _native.ImageError as error:
            raise image_error(error) from error
        return plan.info, plan

    def check(self, data: bytes, operation: Operation = Operation.TAGGING, options: PrepareOptions = _DEFAULTS) -> PreparedImage:
        """`data` as it is, if it could be made fit: for those who decode it here anyway. Raises `GatewayError`.

        That a picture will be fitted as it is decoded is told, but for tagging, where all pictures are looked at reduced.
        """
        with self._counted(operation) as counted:
            counted.append(self._checked(data, operation, options))
        return counted[0]

    def _checked(self, data: bytes, operation: Operation, options: PrepareOptions) -> PreparedImage:
        info, plan = self.inspect(data, operation, options)
        actions: tuple[PreparationAction, ...] = ()
        if operation is not Operation.TAGGING and (plan.width, plan.height) != (info.width, info.height):
            fit = f"{info.width}x{info.height} px to {plan.width}x{plan.height} px"
            actions = (PreparationAction("fit", fit),)
        return PreparedImage(data=data, facts=_facts(info, len(data)), actions=actions)

    def prepare_now(
        self, data: bytes, operation: Operation = Operation.TAGGING, options: PrepareOptions = _DEFAULTS
    ) -> PreparedImage:
        """Prepare one picture on this thread. Other formats are refused, whatever the options. Raises `GatewayError`."""
        try:
            return _read(_native.prepare(data, policy(operation, options, self._max_pixels)), data)
        except _native.ImageError as error:
            raise image_error(error) from error

    def prepare_many(
        self, files: Iterable[bytes], operation: Operation = Operation.TAGGING, options: PrepareOptions = _DEFAULTS
    ) -> Iterator[PreparedImage | GatewayError]:
        """Prepare pictures on all threads; yields an outcome for each, in their order.

        Other formats are refused, whatever the options. Reads ahead by twice as many files as there are threads. What has not
        begun when the iteration is abandoned never does; what has not begun when this is closed comes out as `SHUTTING_DOWN`.
        """
        waiting: deque[Future[PreparedImage | GatewayError]] = deque()
        try:
            for data in files:
                waiting.append(self._begun(data, operation, options))
                if len(waiting) > self._batch:
                    yield _settled(waiting.popleft())
            while waiting:
                yield _settled(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()

    async def prepare(
        self, data: bytes, operation: Operation = Operation.TAGGING, options: PrepareOptions = _DEFAULTS
    ) -> PreparedImage:
        """Prepare one picture without blocking the event loop. Raises `GatewayError`.

        What takes less than a hop to a thread is done at once; everything else waits for a thread in order of arrival.
        Cancelling drops it if it has not begun.
        """
        with stage("prepare"), self._counted(operation) as counted:
            counted.append(await self._made_fit(data, operation, options))
        return counted[0]

    async def _made_fit(self, data: bytes, operation: Operation, options: PrepareOptions) -> PreparedImage:
        native_policy = policy(operation, options, self._max_pixels)
        try:
            # Looking for a colour profile takes longer than a hop.
            if options.convert is not Convert.ALWAYS:
                plan = _native.plan(data, native_policy)
                touches = plan.changes_pixels or plan.is_too_long or options.full_decode
                if not touches and (len(data) <= INLINE_BYTES or not options.strip_metadata):
                    return _read(_native.prepare(data, native_policy), data)
            return _read(await self._result(self._submit(lambda: _native.prepare(data, native_policy))), data)
        except _native.ImageError as error:
            may_convert = options.allow_other_formats and options.convert is not Convert.NEVER
            if self._breadth is None or not may_convert or error.kind != "unsupported_format":
                raise image_error(error) from error
        return await self._prepare_foreign(self._breadth, data, native_policy)

    async def array(
        self, data: bytes, operation: Operation = Operation.TAGGING, options: PrepareOptions = _DEFAULTS
    ) -> tuple[npt.NDArray[np.uint8], PreparedImage]:
        """The prepared pixels themselves, for those who would decode the prepared file: height × width × 3, RGB, 0 to 255.

        They are scaled, converted, on white and turned as `options` say, and never written to a file: nothing is shrunk, and
        nothing is copied on the way. The second of the pair says what was done, without a file; it is what boxes in the
        array are mapped back by. Other formats are refused, whatever the options. Raises `GatewayError`.
        """
        native_policy = policy(operation, options, self._max_pixels)
        try:
            pixels, prepared = await self._result(self._submit(lambda: _native.prepare_array(data, native_policy)))
        except _native.ImageError as error:
            raise image_error(error) from error
        return pixels, _described(prepared, b"", _facts(prepared.info, len(data)))

    async def _prepare_foreign(self, breadth: BreadthPool, data: bytes, native_policy: _native.Policy) -> PreparedImage:
        loop = asyncio.get_running_loop()
        await self._foreign.acquire()
        with contextlib.ExitStack() as place:
            place.callback(self._foreign.release)
            foreign = await breadth.decode(data, max_pixels=self._max_pixels)
            work = self._submit(
                lambda: _native.prepare_pixels(
                    foreign.pixels,
                    foreign.width,
                    foreign.height,
                    native_policy,
                    what=", ".join([foreign.format.upper(), *foreign.notes]),
                    size=len(data),
                )
            )
            # Not when this call ends: if it is cancelled, a thread may have the pixels for a while yet.
            leave = place.pop_all().close
            work.add_done_callback(lambda _: _call_soon(loop, leave))
        try:
            prepared = await self._result(work)
        except _native.ImageError as error:
            raise image_error(error) from error
        # The pixels are upright; the file's are as it stores them.
        width, height = foreign.width, foreign.height
        if is_sideways(foreign.orientation):
            width, height = height, width
        facts = ImageFacts(
            format=foreign.format, width=width, height=height, orientation=foreign.orientation, size_bytes=len(data)
        )
        return _prepared(prepared, data, facts)

    @contextlib.contextmanager
    def _counted(self, operation: Operation) -> Iterator[list[PreparedImage]]:
        """Count the picture that is put into the list, or its refusal."""
        started_at = time.perf_counter()
        prepared: list[PreparedImage] = []
        try:
            yield prepared
        except GatewayError as error:
            self._metrics.refused(operation, error)
            raise
        self._metrics.prepared(operation, prepared[0], time.perf_counter() - started_at)

    def _submit(self, work: Callable[[], _T]) -> Future[_T]:
        try:
            return self._pool.submit(work)
        except RuntimeError as error:
            if not self._closed:  # it cannot start a thread
                raise
            raise _stopping() from error

    async def _result(self, work: Future[_T]) -> _T:
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():  # dropped by `close`, not by the caller
                raise _stopping() from None
            raise

    def _begun(self, data: bytes, operation: Operation, options: PrepareOptions) -> Future[PreparedImage | GatewayError]:
        try:
            return self._submit(lambda: self._outcome(data, operation, options))
        except GatewayError as error:
            refused: Future[PreparedImage | GatewayError] = Future()
            refused.set_result(error)
            return refused

    def _outcome(self, data: bytes, operation: Operation, options: PrepareOptions) -> PreparedImage | GatewayError:
        try:
            return self.prepare_now(data, operation, options)
        except GatewayError as error:
            return error


def _stopping() -> GatewayError:
    return GatewayError(Reason.SHUTTING_DOWN, "this gateway is stopping")


def _settled(work: Future[PreparedImage | GatewayError]) -> PreparedImage | GatewayError:
    try:
        return work.result()
    except CancelledError:  # dropped by `close`; an iteration that is abandoned asks for no result
        return _stopping()


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """From any thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits there
        loop.call_soon_threadsafe(callback)


def _read(prepared: _native.Prepared, data: bytes) -> PreparedImage:
    return _prepared(prepared, data, _facts(prepared.info, len(data)))


def _prepared(prepared: _native.Prepared, data: bytes, facts: ImageFacts) -> PreparedImage:
    if prepared.data is None:
        return PreparedImage(data=data, facts=facts)
    return _described(prepared, prepared.data, facts)


def _described(prepared: _native.Prepared, data: bytes, facts: ImageFacts) -> PreparedImage:
    sent = ImageFacts(
        format=prepared.format,
        width=prepared.width,
        height=prepared.height,
        orientation=prepared.orientation,
        size_bytes=len(data),
    )
    actions = tuple(PreparationAction(name, detail) for name, detail in prepared.actions)
    return PreparedImage(data=data, facts=facts, actions=actions, sent=sent)


def _facts(info: _native.ImageInfo, size: int) -> ImageFacts:
    return ImageFacts(format=info.format, width=info.width, height=info.height, orientation=info.orientation, size_bytes=size)
