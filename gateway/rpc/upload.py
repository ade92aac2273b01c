"""A file that a client sends in chunks: bounded, checked, and held once."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Generic, Literal, Protocol, TypeVar

from google.protobuf import message
from grpc import aio

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import file_pb2
from gateway.media import ImageContent, ImageSource
from gateway.rpc.answer import Context
from gateway.rpc.chunks import CHUNK_BYTES, sha256_of
from gateway.rpc.convert import Sourced, read_source

_log = logging.getLogger(__name__)

_ACCEPTED: Final = (("x-upload-accepted", "1"),)
"""Initial metadata that tell a client to send: what it asked is in order."""

_SHA256_BYTES: Final = 32

_Request_co = TypeVar("_Request_co", bound=Sourced, covariant=True)


class UploadConfig(Protocol[_Request_co]):
    """A message with what is asked of a stream, and perhaps a file that follows."""

    @property
    def request(self) -> _Request_co: ...
    @property
    def upload(self) -> file_pb2.FileInfo: ...
    def HasField(self, field_name: Literal["upload"], /) -> bool: ...  # noqa: N802  # protobuf's
    def ByteSize(self) -> int: ...  # noqa: N802  # protobuf's


_Config_co = TypeVar("_Config_co", bound=UploadConfig[Sourced], covariant=True)
_Config = TypeVar("_Config", bound=UploadConfig[Sourced])


class UploadMessage(Protocol[_Config_co]):
    """A message with the contract's `oneof payload` of what clients send."""

    @property
    def config(self) -> _Config_co: ...
    @property
    def chunk(self) -> file_pb2.FileChunk: ...
    def WhichOneof(  # noqa: N802  # protobuf's
        self, oneof_group: Literal["payload"], /
    ) -> Literal["config", "chunk"] | None: ...


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How long a file may be, and how many seconds a client may neither send nor half-close.

    `too_large`: why a longer file is refused.
    """

    max_bytes: int = 64 << 20
    receive_timeout: float = 60.0
    too_large: Reason = Reason.IMAGE_TOO_LARGE


UPLOAD_LIMITS: Final = UploadLimits()
"""Those of pictures, unless the settings say otherwise."""


async def accept(context: Context) -> None:
    """Tell the client to send. Raises `CancelledError` if it has gone away: gRPC cancels the call itself only somewhat later."""
    try:
        await context.send_initial_metadata(_ACCEPTED)
    except aio.InternalError as error:
        _log.debug("a client is not told to send, as if it had gone away: %s", error)  # gRPC's only error, whatever went wrong
        raise asyncio.CancelledError from None


class Upload(Generic[_Config]):
    """What one client sends: a config, the chunks of the file that it announces, and the end."""

    def __init__(self, messages: AsyncIterator[UploadMessage[_Config]], limits: UploadLimits) -> None:
        self._messages = messages
        self._limits = limits

    async def config(self) -> _Config:
        """The first message. Raises `GatewayError` if it is none, or announces a file that would not be taken."""
        first = await self._next()
        if first is None or first.WhichOneof("payload") != "config":
            raise GatewayError(Reason.INVALID_ARGUMENT, "config is not set; it must be the first message", field="config")
        config = first.config
        if config.HasField("upload"):
            if config.request.WhichOneof("source") is not None:
                msg = "config.upload and config.request.source are both set; give one of them"
                raise GatewayError(Reason.INVALID_ARGUMENT, msg, field="config.upload")
            self._check(config.upload)
        else:
            read_source(config.request)
        return config

    def size(self, config: _Config) -> int:
        """Bytes to be held for the file that `config` is about."""
        return config.upload.size_bytes or config.ByteSize()

    async def source(self, config: _Config) -> ImageSource:
        """Where the file is that `config` is about, its own bytes once all have come. Raises `GatewayError` if they are not what
        it announces."""
        if config.HasField("upload"):
            return ImageContent(await self._received(config.upload))
        if await self._next() is not None:
            raise _violation("payload", "config announced no upload; nothing may follow it")
        return read_source(config.request)

    def _check(self, announced: file_pb2.FileInfo) -> None:
        size, most, hashed = announced.size_bytes, self._limits.max_bytes, len(announced.sha256)
        if size < 0:
            raise _violation("config.upload.size_bytes", "it is below 0", f"{size} bytes", f"0 to {most} bytes")
        if size > most:
            raise GatewayError(
                self._limits.too_large,
                f"the file has {size} bytes; at most {most} bytes are taken",
                field="config.upload.size_bytes",
                measured=f"{size} bytes",
                allowed=f"at most {most} bytes",
            )
        if hashed != _SHA256_BYTES:
            raise _violation("config.upload.sha256", f"a SHA-256 has {_SHA256_BYTES} bytes", f"{hashed} bytes", "32 bytes")

    async def _received(self, announced: file_pb2.FileInfo) -> bytes:
        size = announced.size_bytes
        file = io.BytesIO()  # gives its bytes away uncopied, and grows only as chunks come, whatever was announced
        while (received := await self._next()) is not None:
            if received.WhichOneof("payload") != "chunk":
                raise _violation("payload", "after config, every message must be a chunk")
            offset, data, held = received.chunk.offset, received.chunk.data, file.tell()
            length = len(data)
            if not 1 <= length <= CHUNK_BYTES:
                raise _violation("chunk.data", "a chunk is too long or empty", f"{length} bytes", f"1 to {CHUNK_BYTES} bytes")
            if offset != held:
                raise _violation("chunk.offset", "a chunk does not follow the one before it", str(offset), str(held))
            if held + length > size:
                raise _violation("chunk.data", "more bytes came than announced", f"{held + length} bytes", f"{size} bytes")
            file.write(data)
        if file.tell() < size:
            raise _violation("chunk", "the file ended before all of it had come", f"{file.tell()} bytes", f"{size} bytes")
        whole = file.getvalue()
        measured = await sha256_of(whole)
        if measured != announced.sha256:
            msg = "the bytes that came are not those that were announced: their SHA-256 is another"
            raise _violation("config.upload.sha256", msg, measured.hex(), announced.sha256.hex())
        return whole

    async def _next(self) -> UploadMessage[_Config] | None:
        """The next message; None once the client has half-closed."""
        limit = asyncio.timeout(self._limits.receive_timeout)
        try:
            async with limit:
                return await anext(self._messages, None)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise GatewayError(
                Reason.DEADLINE_EXCEEDED,
                f"the client neither sent nor half-closed for {self._limits.receive_timeout:g} seconds",
                measured=f"{self._limits.receive_timeout:g} seconds",
            ) from error
        except message.DecodeError as error:
            raise _violation("payload", "a message of the stream is not one of the contract's") from error


def _violation(field: str, why: str, measured: str = "", allowed: str = "") -> GatewayError:
    facts = f": {measured} instead of {allowed}" if measured else ""
    return GatewayError(Reason.INVALID_ARGUMENT, f"{field}: {why}{facts}", field=field, measured=measured, allowed=allowed)
