"""Everything that a gateway does, for callers without an event loop."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from gateway.call import CacheUse
from gateway.client.aio import DEFAULT_FLOW, DEFAULT_TIMEOUT, AsyncGatewayClient
from gateway.client.credentials import Token
from gateway.client.flow import StreamFlow
from gateway.client.info import GatewayInfo
from gateway.client.loop_thread import LoopThread
from gateway.client.preprocess import PreparedItem
from gateway.client.relay import relayed
from gateway.client.sources import Picture, Recording
from gateway.client.tagging import TaggedItem
from gateway.client.tls import Tls
from gateway.errors import GatewayError
from gateway.media import EnhancedImage, EnhancementParameters, RecognizedMusic, TaggedImage, TaggingParameters
from gateway.prepare import Operation, PrepareOptions
from gateway.usecases.preprocessing import Inspection, Preparation


class GatewayClient:
    """As `AsyncGatewayClient`, but every method waits for its answer. Any number of threads may use one at once; close it by
    `with` or `close()`.

    It runs an event loop in a thread of its own. Once closed, every method raises `RuntimeError`; what was under way raises
    `GatewayError` with `CANCELLED`.
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
        """As for `AsyncGatewayClient`."""

        self._thread = LoopThread(
            "image-gateway client",
            lambda: AsyncGatewayClient(target, tls=tls, tenant=tenant, api_key=api_key, token=token, timeout=timeout),
        )
        self._client = self._thread.resource

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, and end the thread. Does nothing the second time."""
        self._thread.close()

    def tag(
        self,
        picture: Picture,
        parameters: TaggingParameters | None = None,
        *,
        cache: CacheUse = CacheUse.USE,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> TaggedImage:
        """Tag one picture."""
        return self._thread.run(self._client.tag(picture, parameters, cache=cache, request_id=request_id, timeout=timeout))

    def validate(
        self, picture: Picture, parameters: TaggingParameters | None = None, *, timeout: float | None = None
    ) -> TaggedImage:
        """Check that a picture could be tagged, without tagging it."""
        return self._thread.run(self._client.validate(picture, parameters, timeout=timeout))

    def tag_batch(
        self,
        pictures: Iterable[Picture],
        parameters: TaggingParameters | None = None,
        *,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
    ) -> list[TaggedImage | GatewayError]:
        """Tag a few pictures by one message: an outcome for each, in their order."""
        return self._thread.run(self._client.tag_batch(list(pictures), parameters, cache=cache, timeout=timeout))

    def tag_stream(
        self,
        pictures: Iterable[Picture | tuple[str, Picture]],
        parameters: TaggingParameters | None = None,
        *,
        in_order: bool = False,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
        flow: StreamFlow = DEFAULT_FLOW,
    ) -> Iterator[TaggedItem]:
        """Tag any number of pictures, yielding each one's outcome exactly once: an answer, or the `GatewayError` of that one.

        `pictures` may be a generator: it is iterated in the thread that iterates the outcomes, at most `flow.window` ahead of
        them. Whoever stops early closes the iterator (`contextlib.closing`), or leaves that to the garbage collector.
        """
        return relayed(
            self._thread,
            pictures,
            lambda items: self._client.tag_stream(items, parameters, in_order=in_order, cache=cache, timeout=timeout, flow=flow),
            window=flow.window,
        )

    def enhance(
        self,
        picture: Picture,
        parameters: EnhancementParameters,
        *,
        cache: CacheUse = CacheUse.USE,
        timeout: float | None = None,
    ) -> EnhancedImage:
        """Brighten, defog or enlarge one picture, as the kind of `parameters` says."""
        return self._thread.run(self._client.enhance(picture, parameters, cache=cache, timeout=timeout))

    def recognise(self, recording: Recording, *, cache: CacheUse = CacheUse.USE, timeout: float | None = None) -> RecognizedMusic:
        """Name the music in one recording: an MP4 of at most 65 MB."""
        return self._thread.run(self._client.recognise(recording, cache=cache, timeout=timeout))

    def inspect(
        self,
        picture: Picture,
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        timeout: float | None = None,
    ) -> Inspection:
        """Say what a picture is and what would become of it."""
        return self._thread.run(self._client.inspect(picture, options, operation=operation, timeout=timeout))

    def prepare(
        self,
        picture: Picture,
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        timeout: float | None = None,
    ) -> Preparation:
        """Make one picture fit."""
        return self._thread.run(self._client.prepare(picture, options, operation=operation, timeout=timeout))

    def prepare_stream(
        self,
        pictures: Iterable[Picture | tuple[str, Picture]],
        options: PrepareOptions | None = None,
        *,
        operation: Operation = Operation.TAGGING,
        in_order: bool = False,
        timeout: float | None = None,
        flow: StreamFlow = DEFAULT_FLOW,
    ) -> Iterator[PreparedItem]:
        """Make any number of pictures fit; everything else is as in `tag_stream`."""
        return relayed(
            self._thread,
            pictures,
            lambda items: self._client.prepare_stream(
                items, options, operation=operation, in_order=in_order, timeout=timeout, flow=flow
            ),
            window=flow.window,
        )

    def info(self, *, timeout: float | None = None) -> GatewayInfo:
        """What the gateway is and allows; the same for as long as it runs."""
        return self._thread.run(self._client.info(timeout=timeout))
