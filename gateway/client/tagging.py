"""Tagging over gRPC, for asyncio."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from types import TracebackType
from typing import Self

import grpc

from gateway.client.channel import open_channel
from gateway.client.convert import read_response, write_parameters, write_request
from gateway.client.errors import read_call_error
from gateway.client.session import Load, Session, TaggedItem, check_size
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc
from gateway.media import ImageSource, TaggedImage, TaggingParameters


class TaggingClient:
    """Talks to one gateway. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: str) -> None:
        """`target` is `host:port`, or any gRPC target such as `dns:///gateway:50051`."""
        self.target = target
        self._channel = open_channel(target)
        self._stub = pb_grpc.TaggingServiceStub(self._channel)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the channel; calls under way are cancelled."""
        await self._channel.close()

    async def tag(
        self, source: ImageSource, parameters: TaggingParameters | None = None, *, timeout: float | None = None
    ) -> TaggedImage:
        """Tag one picture. `timeout` is in seconds. Raises `GatewayError`."""
        check_size(source)
        request = write_request(source, parameters or TaggingParameters())
        try:
            return read_response(await self._stub.TagImage(request, timeout=timeout))
        except grpc.aio.AioRpcError as error:
            raise read_call_error(error) from error

    async def tag_stream(
        self,
        items: Iterable[tuple[str, Load]],
        parameters: TaggingParameters | None = None,
        *,
        in_order: bool = False,
        timeout: float | None = None,
    ) -> AsyncGenerator[TaggedItem]:
        """Tag any number of pictures over one call, yielding each item's outcome exactly once.

        `items` pairs an id with a function that loads the picture, called when its turn comes, so that only a few
        pictures are in memory. Outcomes come as they complete, or `in_order`. If the call itself fails, every item
        without an outcome, sent or not, gets that error as its own. What `items` or a load raises, other than
        `GatewayError`, is raised here. `timeout` is for the whole stream, in seconds.
        """
        session = Session(iter(items), in_order=in_order)
        order = pb.RESULT_ORDER_AS_SENT if in_order else pb.RESULT_ORDER_AS_COMPLETED
        config = pb.StreamTagImagesConfig(parameters=write_parameters(parameters or TaggingParameters()), order=order)
        call = self._stub.StreamTagImages(session.requests(config), timeout=timeout)
        failure = GatewayError(Reason.UNAVAILABLE, "the gateway ended the stream before it had answered this item")
        try:
            async with contextlib.aclosing(session.outcomes(call.read)) as outcomes:
                async for item in outcomes:
                    yield item
        except grpc.aio.AioRpcError as error:
            failure = read_call_error(error)
        except GatewayError as error:
            failure = error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            failure = GatewayError(Reason.CANCELLED, "the stream was closed before the gateway had answered this item")
        finally:
            call.cancel()  # for a caller that stops early; without effect once the call has ended
        for item in session.rest(failure):
            yield item
            await asyncio.sleep(0)  # there may be many, and nothing else here waits
