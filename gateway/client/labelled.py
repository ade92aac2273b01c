"""What is said of every call over a channel, so that no call has to say it."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import grpc

Metadata = tuple[tuple[str, str], ...]


class LabelledChannel(grpc.aio.Channel):
    """A channel whose calls all carry metadata of its own.

    In place of interceptors, which would put a task and a generator between every message of a stream and its reader.
    """

    def __init__(self, channel: grpc.aio.Channel, metadata: Callable[[], Metadata]) -> None:
        """`metadata` gives that of a call which begins."""
        self._channel = channel
        self._metadata = metadata

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # as the stubs call it, whatever gRPC's version
        return self._labelled(self._channel.unary_unary(*args, **kwargs))

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # likewise
        return self._labelled(self._channel.unary_stream(*args, **kwargs))

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # likewise
        return self._labelled(self._channel.stream_unary(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # likewise
        return self._labelled(self._channel.stream_stream(*args, **kwargs))

    async def close(self, grace: float | None = None) -> None:
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._channel.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def _labelled(self, start: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, metadata: Any = None, **kwargs: Any) -> Any:  # noqa: ANN401  # likewise
            return start(*args, metadata=(*self._metadata(), *(metadata or ())), **kwargs)

        return call
