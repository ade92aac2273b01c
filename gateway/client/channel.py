"""Channels to a gateway, and who closes them."""

import re
from types import TracebackType
from typing import Final, Self

import grpc

_LOOPBACK: Final = re.compile(r"(dns:/*|ipv[46]:)?(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")


class Connected:
    """Has a channel to one gateway. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: str, *, max_reply_bytes: int | None = None) -> None:
        """`target` is `host:port`, or any gRPC target such as `dns:///gateway:50051`. `max_reply_bytes`: the longest message
        that is received, if it is not gRPC's 4 MiB."""
        self.target = target
        self._channel = open_channel(target, max_reply_bytes=max_reply_bytes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the channel; calls under way are cancelled."""
        await self._channel.close()


def open_channel(target: str, *, max_reply_bytes: int | None = None) -> grpc.aio.Channel:
    """A channel to `target`: `host:port`, or any gRPC target such as `dns:///gateway:50051`.

    gRPC would go through an `http_proxy` of the environment even to this machine, where no proxy can follow.
    """
    options = [("grpc.enable_http_proxy", 0)] if _LOOPBACK.fullmatch(target) else []
    if max_reply_bytes is not None:
        options.append(("grpc.max_receive_message_length", max_reply_bytes))
    return grpc.aio.insecure_channel(target, options=options)
