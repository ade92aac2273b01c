"""Files that come in pieces, put together and checked."""

import hashlib
from collections import deque

from gateway.client.convert import not_the_contract
from gateway.client.convert_preprocess import read_preparation
from gateway.client.errors import read_status
from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.media import ImageContent, ImageSource
from gateway.usecases.preprocessing import Preparation

_Settled = tuple[str, Preparation | GatewayError]


class PieceReader:
    """Reads the messages of one stream of prepared pictures."""

    def __init__(self) -> None:
        self._sources: dict[str, deque[ImageSource]] = {}  # by id, in the order sent: the file itself where it needs nothing
        self._header: pb.StreamPrepareImagesHeader | None = None  # of the file whose pieces come
        self._data = bytearray()
        self._hash = hashlib.sha256()

    def expect(self, item_id: str, source: ImageSource) -> None:
        """`source` is about to be sent."""
        self._sources.setdefault(item_id, deque()).append(source)

    def read(self, response: pb.StreamPrepareImagesResponse) -> _Settled | None:
        """The item that is complete with `response`, and its outcome. Raises `GatewayError` for what is not the contract's."""
        match response.WhichOneof("payload"), self._header:
            case "header", None:
                return self._read_header(response.header)
            case "chunk", pb.StreamPrepareImagesHeader() as header:
                return self._read_chunk(header, response.chunk)
            case "summary", None:
                return None
            case None, _:  # of a newer gateway
                return None
        raise not_the_contract()

    def _read_header(self, header: pb.StreamPrepareImagesHeader) -> _Settled | None:
        source = self._sent(header.item_id)
        if header.HasField("error"):
            return header.item_id, read_status(header.error)
        if header.file.unchanged:
            data = source.data if isinstance(source, ImageContent) else b""
            return header.item_id, _checked(header.file, data, hashlib.sha256(data).digest())
        self._header = header
        self._data = bytearray()
        self._hash = hashlib.sha256()
        return None

    def _read_chunk(self, header: pb.StreamPrepareImagesHeader, chunk: pb.StreamPrepareImagesChunk) -> _Settled | None:
        size = header.file.preparation.prepared.size_bytes
        if chunk.item_id != header.item_id or chunk.offset != len(self._data) or not 0 < len(chunk.data) <= size - chunk.offset:
            raise not_the_contract()
        self._data += chunk.data
        self._hash.update(chunk.data)
        if len(self._data) < size:
            return None
        self._header = None
        return header.item_id, _checked(header.file, bytes(self._data), self._hash.digest())

    def _sent(self, item_id: str) -> ImageSource | None:
        sources = self._sources.get(item_id)
        if not sources:
            return None  # an answer to nothing that was asked
        source = sources.popleft()
        if not sources:
            del self._sources[item_id]
        return source


def _checked(file: pb.PreparedFile, data: bytes, digest: bytes) -> Preparation | GatewayError:
    if digest == file.sha256:
        return read_preparation(file.preparation, data)
    return GatewayError(
        Reason.INTERNAL, "the prepared file is not the one that the gateway announced: its SHA-256 is another", field="sha256"
    )
