"""Everything that a gateway does, for asyncio."""

import contextlib
import uuid
from collections.abc import AsyncGenerator, Iterable
from types import TracebackType
from typing import Final, Self

from gateway.call import CacheUse
from gateway.client.channel import Connection
from gateway.client.credentials import Token
from gateway.client.enhancement import EnhancementClient
from gateway.client.flow import StreamFlow
from gateway.client.info import GatewayInfo, InfoClient
from gateway.client.music import MusicClient
from gateway.client.preprocess import PreparedItem, PreprocessClient
from gateway.client.sources import Picture, Pictures, Recording, items_of, read_picture, read_recording
from gateway.client.tagging import TaggedItem, TaggingClient
from gateway.client.tls import Tls
from gateway.errors import GatewayError
from gateway.media import EnhancedImage, EnhancementParameters, RecognizedMusic, TaggedImage, TaggingParameters
from gateway.prepare import Operation, PrepareOptions
from gateway.usecases.preprocessing import Inspection, Preparation

DEFAULT_FLOW: Final = StreamFlow()

DEFAULT_TIMEOUT: Final = 60.0
"""Seconds for one call, unless another time is given."""


class AsyncGatewayClient:
    """One gateway's operations over one connection. Use it inside one event loop, and close it by `async with` or `aclose()`.

    Pictures and recordings are given as paths, URLs (texts with `://` in them), bytes, or the classes of `gateway.media`. What
    fails raises `GatewayError`, whose `reason` says why; a call that no gateway took was sent again before, a few times, after
    growing pauses. Every `timeout` is in seconds.
    """

    def __init__(  # all but one are optional, and given by name
        self,
        target: str,
        *,
        tls: Tls | None = None,
        tenant: str = "",
        api_key: str = "",
        token: Token | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> None:
        """`target` is `host:port`, or any gRPC target such as `dns:///gateway:50051`.

        Without `tls` the connection is not encrypted. `tenant`: for whom all calls are, at most 64 printable ASCII characters,
        if the credentials do not tell. `api_key` or `token`: the credentials, where a gateway asks for some; a token may also be
        a function that returns the one in force, which is called for every call and must not wait. `timeout`: for calls that
        bring none of their own, streams excepted; None for no bound.
        """
        self._connection = Connection(target, tls=tls, tenant=tenant, api_key=api_key, token=token)
        self._timeout = timeout
        self._tagging = TaggingClient(self._connection)
        self._preprocess = PreprocessClient(self._connection)
        self._enhancement = EnhancementClient(self._connection)
        self._music = MusicClient(self._connection)
        self._info = InfoClient(self._connection)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection; calls under way are cancelled."""
        await self._connection.aclose()

    async def tag(
        self,
        picture: Picture,
        parameters: TaggingParameters | None = None,
        *,
        cache: CacheUse = CacheUse.USE,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> TaggedImage:
        """Tag one picture.

        `request_id` is as in `TaggingClient.tag`; None for a new UUID (AIP-4235), so that the channel's retries after a broken
        connection find the answer where there is one already.
        """
        source = await read_picture(picture)
        name = str(uuid.uuid4()) if request_id is None else request_id
        return await self._tagging.tag(source, parameters, cache=cache, request_id=name, timeout=self._bound(timeout))

    async def validate(
        self, picture: Picture, parameters: TaggingParameters | None = None, *, timeout: float | None = None
    ) -> TaggedImage:
        """Check that a picture could be tagged, without tagging it."""
        return await self._tagging.validate(await read_picture(picture), parameters, timeout=self._bound(timeout))

    async def tag_batch(
        self,
        pictures: Iterable[Picture],
        parameters: TaggingParameters | None = None,
        *,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
    ) -> list[TaggedImage | GatewayError]:
        """Tag a few pictures by one message: an outcome for each, in their order. What cannot be read raises `GatewayError`."""
        sources = [await read_picture(picture) for picture in pictures]
        return await self._tagging.tag_batch(sources, parameters, cache=cache, timeout=self._bound(timeout))

    async def tag_stream(
        self,
        pictures: Pictures,
        parameters: TaggingParameters | None = None,
        *,
        in_order: bool = False,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
        flow: StreamFlow = DEFAULT_FLOW,
    ) -> AsyncGenerator[TaggedItem]:
        """Tag any number of pictures, yielding each one's outcome exactly once: an answer, or the `GatewayError` of that one.

        Outcomes come as they complete, or `in_order`. `flow` bounds what is under way, and says how often a stream that breaks is
        taken up again; what then still has no outcome gets the error of the break. What `pictures` raises is raised here.
        `timeout` is for the whole stream; by default it may take as long as it lasts.
        """
        outcomes = self._tagging.tag_stream(
            items_of(pictures), parameters, in_order=in_order, cache=cache, timeout=timeout, flow=flow
        )
        async with contextlib.aclosing(outcomes):
            async for item in outcomes:
                yield item

    async def enhance(
        self,
        picture: Picture,
        parameters: EnhancementParameters,
        *,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
    ) -> EnhancedImage:
        """Brighten, defog or enlarge one picture, as the kind of `parameters` says."""
        source = await read_picture(picture)
        return await self._enhancement.enhance(source, parameters, cache=cache, timeout=self._bound(timeout))

    async def recognise(
        self, recording: Recording, *, cache: CacheUse = CacheUse.USE, timeout: float | None = None
    ) -> RecognizedMusic:
        """Name the music in one recording: an MP4 of at most 65 MB."""
        source = await read_recording(recording)
        return await self._music.recognise(source, cache=cache, timeout=self._bound(timeout))

    async def inspect(
        self,
        picture: Picture,
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        timeout: float | None = None,
    ) -> Inspection:
        """Say what a picture is and what would become of it."""
        source = await read_picture(picture)
        return await self._preprocess.inspect(source, options, operation=operation, timeout=self._bound(timeout))

    async def prepare(
        self,
        picture: Picture,
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        timeout: float | None = None,
    ) -> Preparation:
        """Make one picture fit. Raises `GatewayError` with `RESULT_TOO_LARGE` for a prepared file of more than 4 128 768 bytes:
        `prepare_stream` has no such bound."""
        source = await read_picture(picture)
        return await self._preprocess.prepare(source, options, operation=operation, timeout=self._bound(timeout))

    async def prepare_stream(
        self,
        pictures: Pictures,
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        in_order: bool = False,
        timeout: float | None = None,
        flow: StreamFlow = DEFAULT_FLOW,
    ) -> AsyncGenerator[PreparedItem]:
        """Make any number of pictures fit; everything else is as in `tag_stream`."""
        outcomes = self._preprocess.prepare_stream(
            items_of(pictures), options, operation=operation, in_order=in_order, timeout=timeout, flow=flow
        )
        async with contextlib.aclosing(outcomes):
            async for item in outcomes:
                yield item

    async def info(self, *, timeout: float | None = None) -> GatewayInfo:
        """What the gateway is and allows; the same for as long as it runs."""
        return await self._info.info(timeout=self._bound(timeout))

    def _bound(self, timeout: float | None) -> float | None:
        return self._timeout if timeout is None else timeout
