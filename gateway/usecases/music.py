"""Background music: fetch → recognise."""

import time
from collections.abc import Callable
from typing import Final

from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason
from gateway.media import ImageUri, MediaContent, MediaSource, MusicReply, RecognizedMusic
from gateway.obs import check_usable
from gateway.provider import Provider
from gateway.usecases.chain import Chain
from gateway.usecases.intake import Fetcher

MEDIA_FORMATS: Final = ("mp4",)

MAX_MEDIA_BYTES: Final = 65 << 20
"""Longest recording (contract: background music recognition, 65 MB)."""


class RecognizeMusic:
    """Recognises the music in one recording."""

    def __init__(self, chain: Chain, fetcher: Fetcher, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns seconds since the epoch, as signed URLs count them."""
        self._chain = chain
        self._fetcher = fetcher
        self._clock = clock

    async def __call__(self, source: MediaSource, call: Call = UNHURRIED) -> RecognizedMusic:
        """Name the music in `source`. Raises `GatewayError`."""
        async with call.bounded():
            return await self._chain.first(lambda provider, shorter: self._recognized(provider, source, shorter), call)

    async def validate(self, source: MediaSource, call: Call = UNHURRIED) -> RecognizedMusic:
        """Take `source` in as if it were to be listened to, and ask no provider: an answer without music. Raises `GatewayError`.

        What the provider would download is not looked at; of its URL, form and validity are.
        """
        if isinstance(source, ImageUri):
            check_usable(source.uri, self._clock(), None)
        async with call.bounded():
            return await self._chain.first(lambda provider, _: self._validated(provider, source), call)

    async def _validated(self, provider: Provider, source: MediaSource) -> RecognizedMusic:
        _, fetch_time = await self._taken_in(provider, source)
        return RecognizedMusic(MusicReply(provider.name, None, attempts=0), fetch_time)

    async def _recognized(self, provider: Provider, source: MediaSource, call: Call) -> RecognizedMusic:
        recording, fetch_time = await self._taken_in(provider, source)
        return RecognizedMusic(await provider.recognize_music(recording, call), fetch_time)

    async def _taken_in(self, provider: Provider, source: MediaSource) -> tuple[MediaSource, float]:
        """What `provider` takes, and the seconds that its download took."""
        if isinstance(source, ImageUri) and provider.downloads_recordings:
            return source, 0.0
        started_at = time.perf_counter()
        data = await self._fetched(source) if isinstance(source, ImageUri) else source.data
        fetch_time = time.perf_counter() - started_at
        if len(data) > MAX_MEDIA_BYTES:
            raise _too_large(f"{len(data)} bytes")
        if not data:
            raise GatewayError(Reason.IMAGE_EMPTY, "the recording is empty", field="content", measured="0 bytes")
        return MediaContent(data), fetch_time

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
