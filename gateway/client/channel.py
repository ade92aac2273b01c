"""Channels to a gateway, and who closes them."""

import re
from types import TracebackType
from typing import Any, Final, Self

import grpc

from gateway.client.credentials import Token, call_metadata
from gateway.client.labelled import LabelledChannel
from gateway.client.service_config import service_config
from gateway.client.tls import Tls

_LOOPBACK: Final = re.compile(r"(dns:/*|ipv[46]:)?(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")

_LARGEST_REPLY: Final = 65 << 20
"""Above the longest file that a gateway returns in one message."""

_OPTIONS: Final[tuple[tuple[str, Any], ...]] = (
    ("grpc.enable_retries", 1),
    # What is longer than this is not kept for a retry; gRPC's default is 256 KiB, and pictures are larger.
    ("grpc.per_rpc_retry_buffer_size", 17 << 20),
    # A peer that is gone is noticed within about six minutes, even if nothing is to be sent. Servers end connections that ask
    # more often than every five minutes, unless they are told otherwise (gRFC A8).
    ("grpc.keepalive_time_ms", 330_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)


class Connection:
    """One channel to a gateway, for clients of any number of its services. Use it inside one event loop."""

    def __init__(
        self, target: str, *, tls: Tls | None = None, tenant: str = "", api_key: str = "", token: Token | None = None
    ) -> None:
        """`target` is `host:port`, or any gRPC target such as `dns:///gateway:50051`.

        Without `tls` the connection is neither encrypted, nor is the gateway known to be what it says. `tenant`: for whom all
        calls are, at most 64 printable ASCII characters, if that is not told by the credentials. `api_key`, `token`: what is
        shown to the gateway with every call, one of them; without `tls` whoever is on the way can read and use it. A token may
        be given as what returns the one in force.
        """
        self.target = target
        self.channel = open_channel(target, tls=tls, max_reply_bytes=_LARGEST_REPLY)
        metadata = call_metadata(tenant, api_key, token)
        if tenant or api_key or token is not None:
            self.channel = LabelledChannel(self.channel, metadata)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the channel; calls under way are cancelled."""
        await self.channel.close()


Target = str | Connection
"""Where a gateway is: an address, or a connection that its opener closes."""


class Connected:
    """Has a channel to one gateway. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: Target, *, max_reply_bytes: int | None = None) -> None:
        """`target` is `host:port`, any gRPC target such as `dns:///gateway:50051`, or a connection that others use, too.
        `max_reply_bytes`: the longest message that is received, if it is not gRPC's 4 MiB; a connection has its own bound."""
        self._shared = target if isinstance(target, Connection) else None
        if isinstance(target, Connection):
            self.target = target.target
            self._channel = target.channel
        else:
            self.target = target
            self._channel = open_channel(target, max_reply_bytes=max_reply_bytes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the channel, unless others use it, too; calls under way are cancelled."""
        if self._shared is None:
            await self._channel.close()


def open_channel(target: str, *, tls: Tls | None = None, max_reply_bytes: int | None = None) -> grpc.aio.Channel:
    """A channel to `target`: `host:port`, or any gRPC target such as `dns:///gateway:50051`.

    Unary calls that no gateway took are sent again as the service's configuration says.
    """
    options = [*_OPTIONS, ("grpc.service_config", service_config())]
    if _LOOPBACK.fullmatch(target):
        # gRPC would go through an `http_proxy` of the environment even to this machine, where no proxy can follow.
        options.append(("grpc.enable_http_proxy", 0))
    if max_reply_bytes is not None:
        options.append(("grpc.max_receive_message_length", max_reply_bytes))
    if tls is None:
        return grpc.aio.insecure_channel(target, options=options)
    if tls.server_name is not None:
        options.append(("grpc.ssl_target_name_override", tls.server_name))
    return grpc.aio.secure_channel(target, tls.credentials(), options=options)
