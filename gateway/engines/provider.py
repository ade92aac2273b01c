"""The engines of this process as a provider."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from gateway import _native
from gateway.engines.model import INPUT_SIDE
from gateway.engines.settings import LocalSettings
from gateway.engines.tagging import TaggingEngine
from gateway.errors import GatewayError, Reason
from gateway.image_error import image_error
from gateway.media import ImageUri, PreparedImage, ProviderReply, Tag, TaggingParameters

_RESIZE_SIDE: Final = 256
"""The shorter side before the centre is cut out: 224 / 0.875, the scale at which the classifier was evaluated."""


class LocalProvider:
    """Recognises pictures on this machine's CPUs: `workers` at once, the others in order of arrival."""

    name: Final = "local"
    accepts_uris: Final = False
    decodes_here: Final = True

    def __init__(self, settings: LocalSettings, *, max_pixels: int) -> None:
        """Load the models (tenths of a second). Raises `ValueError` if a data file is damaged.

        A picture of more than `max_pixels` is not decoded.
        """
        self._max_pixels = max_pixels
        self._engine = TaggingEngine()
        self._slots = asyncio.Semaphore(settings.workers)
        self._pool = ThreadPoolExecutor(settings.workers, thread_name_prefix="engine")

    async def aclose(self) -> None:
        """Drop what has not begun; what has begun ends within a picture's time."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def check(self) -> None:
        """Raise `GatewayError` if the model does not compute."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._engine.self_test)
        except (ValueError, RuntimeError) as error:
            raise GatewayError(Reason.INTERNAL, "the local tagging engine does not work") from error

    async def tag(self, image: PreparedImage | ImageUri, parameters: TaggingParameters) -> ProviderReply:
        """Tag one picture. Raises `GatewayError` that says why if it cannot be decoded."""
        if isinstance(image, ImageUri):  # the use case downloads; see `accepts_uris`
            raise TypeError
        asked_at = time.perf_counter()
        # The semaphore, not the pool's queue, holds back what waits: a cancelled waiter leaves nothing behind.
        async with self._slots:
            started_at = time.perf_counter()
            tags = await asyncio.get_running_loop().run_in_executor(self._pool, self._recognise, image.data, parameters)
        return ProviderReply(
            provider=self.name, tags=tags, queue_time=started_at - asked_at, work_time=time.perf_counter() - started_at
        )

    def _recognise(self, data: bytes, parameters: TaggingParameters) -> tuple[Tag, ...]:
        try:
            pixels = _native.classifier_input(data, resize=_RESIZE_SIDE, crop=INPUT_SIDE, max_pixels=self._max_pixels)
        except _native.ImageError as error:
            raise image_error(error) from error
        return self._engine.tag(pixels, parameters)
