"""Preparing pictures: one, many, or from an event loop."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Self, TypeVar

from gateway import _native
from gateway.breadth.pool import BreadthPool
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts, PreparationAction, PreparedImage
from gateway.prepare.boxes import is_sideways
from gateway.prepare.errors import image_error
from gateway.prepare.operations import Operation
from gateway.prepare.options import Convert, PrepareOptions, policy
from gateway.prepare.settings import PrepareSettings

INLINE_BYTES: Final = 256 << 10
"""Up to this size a file whose pixels stay is prepared where the call stands: looking at it, and copying it without its
metadata, takes less than a hop to a thread and back (`make bench-prepare`)."""

_T = TypeVar("_T")

_DEFAULTS: Final = PrepareOptions()


class Preparer:
    """Makes pictures fit an operation, on as many threads as the settings say.

    Whoever needs formats beyond JPEG, PNG, BMP and WEBP gives it a `BreadthPool`, and closes that.
    """

    def __init__(self, settings: PrepareSettings, breadth: BreadthPool | None = None) -> None:
        """Also bounds the memory of all decodes in this process to `settings.memory`."""
        self._max_pixels = settings.max_pixels
        self._breadth = breadth
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="prepare")
        self._batch = settings.workers * 2
        self._closed = False
        _native.set_memory_limit(settings.memory)

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
        """`data` as it is, if it could be made fit: for those who decode it here anyway. Raises `GatewayError`."""
        info, _ = self.inspect(data, operation, options)
        return PreparedImage(data=data, facts=_facts(info, len(data)))

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

        Reads ahead by twice as many files as there are threads. What has not begun when the iteration is abandoned never does.
        """
        waiting: list[Future[PreparedImage | GatewayError]] = []
        try:
            for data in files:
                waiting.append(self._pool.submit(self._outcome, data, operation, options))
                if len(waiting) > self._batch:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
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
        native_policy = policy(operation, options, self._max_pixels)
        try:
            # Looking for a colour profile takes longer than a hop.
            if options.convert is not Convert.ALWAYS:
                plan = _native.plan(data, native_policy)
                touches = plan.changes_pixels or plan.is_too_long or options.full_decode
                if not touches and (len(data) <= INLINE_BYTES or not options.strip_metadata):
                    return _read(_native.prepare(data, native_policy), data)
            return _read(await self._on_thread(lambda: _native.prepare(data, native_policy)), data)
        except _native.ImageError as error:
            if self._breadth is None or not options.allow_other_formats or error.kind != "unsupported_format":
                raise image_error(error) from error
        return await self._prepare_foreign(self._breadth, data, native_policy)

    async def _prepare_foreign(self, breadth: BreadthPool, data: bytes, native_policy: _native.Policy) -> PreparedImage:
        foreign = await breadth.decode(data, max_pixels=self._max_pixels)
        try:
            prepared = await self._on_thread(
                lambda: _native.prepare_pixels(
                    foreign.pixels,
                    foreign.width,
                    foreign.height,
                    native_policy,
                    what=", ".join([foreign.format.upper(), *foreign.notes]),
                    size=len(data),
                )
            )
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

    async def _on_thread(self, work: Callable[[], _T]) -> _T:
        if self._closed:
            raise _stopping()
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():  # dropped by `close`, not by the caller
                raise _stopping() from None
            raise

    def _outcome(self, data: bytes, operation: Operation, options: PrepareOptions) -> PreparedImage | GatewayError:
        try:
            return self.prepare_now(data, operation, options)
        except GatewayError as error:
            return error


def _stopping() -> GatewayError:
    return GatewayError(Reason.SHUTTING_DOWN, "this gateway is stopping")


def _read(prepared: _native.Prepared, data: bytes) -> PreparedImage:
    return _prepared(prepared, data, _facts(prepared.info, len(data)))


def _prepared(prepared: _native.Prepared, data: bytes, facts: ImageFacts) -> PreparedImage:
    if prepared.data is None:
        return PreparedImage(data=data, facts=facts)
    sent = ImageFacts(
        format=prepared.format,
        width=prepared.width,
        height=prepared.height,
        orientation=prepared.orientation,
        size_bytes=len(prepared.data),
    )
    actions = tuple(PreparationAction(name, detail) for name, detail in prepared.actions)
    return PreparedImage(data=prepared.data, facts=facts, actions=actions, sent=sent)


def _facts(info: _native.ImageInfo, size: int) -> ImageFacts:
    return ImageFacts(format=info.format, width=info.width, height=info.height, orientation=info.orientation, size_bytes=size)
