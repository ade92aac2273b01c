"""Background music: fetch → recognise."""

import time
from typing import Final

from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason
from gateway.media import ImageUri, MediaContent, MediaSource, RecognizedMusic
from gateway.provider import Provider
from gateway.usecases.chain import Chain
from gateway.usecases.intake import Fetcher

MAX_MEDIA_BYTES: Final = 65 << 20
"""Longest recording (contract: background music recognition, 65 MB)."""


class RecognizeMusic:
    """Recognises the music in one recording."""

    def __init__(self, chain: Chain, fetcher: Fetcher) -> None:
        self._chain = chain
        self._fetcher = fetcher

    async def __call__(self, source: MediaSource, call: Call = UNHURRIED) -> RecognizedMusic:
        """Name the music in `source`. Raises `GatewayError`."""
        async with call.bounded():
            return await self._chain.first(lambda provider: self._recognized(provider, source, call))

    async def _recognized(self, provider: Provider, source: MediaSource, call: Call) -> RecognizedMusic:
        if isinstance(source, ImageUri) and provider.downloads_recordings:
            return RecognizedMusic(await provider.recognize_music(source, call))
        started_at = time.perf_counter()
        data = await self._fetched(source) if isinstance(source, ImageUri) else source.data
        fetch_time = time.perf_counter() - started_at
        if len(data) > MAX_MEDIA_BYTES:
            raise _too_large(f"{len(data)} bytes")
        if not data:
            raise GatewayError(Reason.IMAGE_EMPTY, "the recording is empty", field="content", measured="0 bytes")
        return RecognizedMusic(await provider.recognize_music(MediaContent(data), call), fetch_time)

    async def _fetched(self, source: ImageUri) -> bytes:
        try:
            return await self._fetcher.fetch(source.uri, max_bytes=MAX_MEDIA_BYTES)
        except GatewayError as error:
            if error.reason is Reason.IMAGE_TOO_LARGE:
                raise _too_large(error.measured, field="uri") from error
            raise


def _too_large(measured: str, field: str = "content") -> GatewayError:
    allowed = f"at most {MAX_MEDIA_BYTES} bytes"
    return GatewayError(
        Reason.MEDIA_TOO_LARGE,
        f"the recording is {measured}; it must be {allowed}",
        field=field,
        measured=measured,
        allowed=allowed,
    )
