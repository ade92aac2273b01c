"""How a picture comes in: downloaded if need be, checked, made fit."""

import time
from typing import Protocol

from gateway.media import ImageSource, ImageUri, PreparedImage
from gateway.prepare import Operation, PrepareOptions, Preparer


class Fetcher(Protocol):
    """Downloads files."""

    async def fetch(self, uri: str, *, max_bytes: int | None = None) -> bytes:
        """Return the bytes behind `uri`, at most `max_bytes` or else as many as the settings allow. Raises `GatewayError`."""


class Intake:
    """Makes sources into pictures that an operation takes."""

    def __init__(self, fetcher: Fetcher, preparer: Preparer, options: PrepareOptions) -> None:
        """`options` are the repairs that pictures may get."""
        self._fetcher = fetcher
        self._preparer = preparer
        self.options = options

    async def __call__(self, source: ImageSource, operation: Operation, *, decodes_here: bool) -> tuple[PreparedImage, float]:
        """The picture, and the seconds that it took. `decodes_here`: whoever gets it decodes it in this process, so that it need
        not be made fit to be sent. Raises `GatewayError`."""
        started_at = time.perf_counter()
        data = await self._fetcher.fetch(source.uri) if isinstance(source, ImageUri) else source.data
        if decodes_here and not self.options.allow_other_formats:
            image = self._preparer.check(data, operation, self.options)
        else:
            image = await self._preparer.prepare(data, operation, self.options)
        return image, time.perf_counter() - started_at
