"""Channels to a gateway."""

import re
from typing import Final

import grpc

_LOOPBACK: Final = re.compile(r"(dns:/*|ipv[46]:)?(localhost|127(\.\d+){3}|\[::1\])(:\d+)?")


def open_channel(target: str) -> grpc.aio.Channel:
    """A channel to `target`: `host:port`, or any gRPC target such as `dns:///gateway:50051`.

    gRPC would go through an `http_proxy` of the environment even to this machine, where no proxy can follow.
    """
    options = [("grpc.enable_http_proxy", 0)] if _LOOPBACK.fullmatch(target) else []
    return grpc.aio.insecure_channel(target, options=options)
