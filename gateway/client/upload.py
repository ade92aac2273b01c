"""Sending what is asked, and the file that it is about in chunks."""

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from typing import Any, Final

from gateway.client.true_status import keep_true_status
from gateway.imagerecognition.v1 import file_pb2
from gateway.media import ImageSource, ImageUri, MediaSource

_CHUNK_BYTES: Final = 1 << 20
"""The contract's."""

_ACCEPTED: Final = "x-upload-accepted"


def with_uri(source: ImageSource | MediaSource) -> dict[str, Any]:
    """The field of a request about a file that is not sent, for a message's constructor."""
    return {"uri": source.uri} if isinstance(source, ImageUri) else {}


async def announced(source: ImageSource | MediaSource) -> file_pb2.FileInfo | None:
    """What a config says of the file of `source`, if there is one to send. For before the call begins: it may take a while."""
    if isinstance(source, ImageUri):
        return None
    data = source.data
    sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).digest())
    return file_pb2.FileInfo(size_bytes=len(data), sha256=sha256)


async def send(call: Any, message: Callable[..., Any], config: Any, source: ImageSource | MediaSource) -> None:  # noqa: ANN401  # gRPC's
    """Send `config` over `call`, then the file of `source` if there is one to send, and half-close.

    `message` makes the stream's messages. Chunks are sent only once the gateway has accepted the config, so that none is sent in
    vain. Returns early if the call ends meanwhile; whoever reads from it then learns why. Raises `grpc.aio.AioRpcError`.
    """
    keep_true_status(call)  # a gateway that stops ends the call while its config is written
    with contextlib.suppress(asyncio.InvalidStateError):  # what grpcio says of writing to a call that has ended
        await call.write(message(config=config))
        if not isinstance(source, ImageUri):
            if all(key != _ACCEPTED for key, _ in await call.initial_metadata()):
                return
            for offset in range(0, len(source.data), _CHUNK_BYTES):
                piece = source.data[offset : offset + _CHUNK_BYTES]
                await call.write(message(chunk=file_pb2.FileChunk(offset=offset, data=piece)))
        await call.done_writing()
