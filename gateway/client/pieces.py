"""The answers of one stream of prepared pictures, whose files come in pieces."""

import hashlib
from collections import deque
from dataclasses import dataclass

from gateway.client.assembly import Assembly, another_file
from gateway.client.convert import not_the_contract
from gateway.client.convert_preprocess import read_preparation
from gateway.client.errors import read_status
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.media import ImageContent, ImageSource
from gateway.usecases.preprocessing import Preparation

_Settled = tuple[str, Preparation | GatewayError]


class PieceReader:
    """Reads the messages of one stream of prepared pictures."""

    def __init__(self, *, in_order: bool) -> None:
        """`in_order`: whether items are answered in the order in which they are sent."""
        self._in_order = in_order
        self._sent: dict[str, _Sent] = {}  # by id: the file itself where it needs nothing
        self._coming: tuple[pb.StreamPrepareImagesHeader, Assembly] | None = None  # the file whose pieces come

    def expect(self, item_id: str, source: ImageSource) -> None:
        """`source` is about to be sent."""
        self._sent.setdefault(item_id, _Sent(in_order=self._in_order)).expect(source)

    def read(self, response: pb.StreamPrepareImagesResponse) -> _Settled | None:
        """The item that is complete with `response`, and its outcome. Raises `GatewayError` for what is not the contract's."""
        match response.WhichOneof("payload"), self._coming:
            case "header", None:
                return self._read_header(response.header)
            case "chunk", (header, file):
                return self._read_chunk(header, file, response.chunk)
            case "summary", None:
                return None
            case None, _:  # of a newer gateway
                return None
        raise not_the_contract()

    def _read_header(self, header: pb.StreamPrepareImagesHeader) -> _Settled | None:
        unchanged = self._answered(header.item_id, header.file.sha256 if header.file.unchanged else None)
        if header.HasField("error"):
            return header.item_id, read_status(header.error)
        if header.file.unchanged:
            if unchanged is None:
                return header.item_id, another_file()
            return header.item_id, read_preparation(header.file.preparation, unchanged)
        self._coming = header, Assembly(header.file.preparation.prepared.size_bytes, header.file.sha256)
        return None

    def _read_chunk(
        self, header: pb.StreamPrepareImagesHeader, file: Assembly, chunk: pb.StreamPrepareImagesChunk
    ) -> _Settled | None:
        if chunk.item_id != header.item_id:
            raise not_the_contract()
        file.add(chunk.offset, chunk.data)
        if not file.is_complete:
            return None
        self._coming = None
        try:
            return header.item_id, read_preparation(header.file.preparation, file.whole())
        except GatewayError as error:
            return header.item_id, error

    def _answered(self, item_id: str, sha256: bytes | None) -> bytes | None:
        sent = self._sent.get(item_id)
        if sent is None:
            return None  # an answer to nothing that was asked
        data = sent.answered(sha256)
        if sent.is_settled:
            del self._sent[item_id]
        return data


class _Sent:
    """The pictures sent under one id; more than one if the caller used it again before the first was answered.

    Answers that come as completed do not say which of them they are about, except by the hash of a file that needs nothing.
    What may yet turn out to be such a file is held.
    """

    def __init__(self, *, in_order: bool) -> None:
        self._in_order = in_order
        self._files: deque[_File] = deque()
        self._settled = 0  # of `_files`, nobody knows which

    @property
    def is_settled(self) -> bool:
        """Whether there is an answer to each."""
        return self._settled == len(self._files)

    def expect(self, source: ImageSource) -> None:
        """`source` is about to be sent."""
        self._files.append(_File(source.data if isinstance(source, ImageContent) else None))

    def answered(self, sha256: bytes | None) -> bytes | None:
        """One of them was answered: by `sha256`, if it is one that needs nothing. That one, if there is such a one."""
        if self._in_order:
            file = self._files.popleft()
            return file.data if file.data is not None and file.sha256 == sha256 else None
        for file in self._files if sha256 is not None else ():
            if file.data is not None and file.sha256 == sha256:
                self._files.remove(file)
                return file.data
        self._settled += 1
        return None


@dataclass(slots=True, eq=False)
class _File:
    """The bytes of a picture that was sent; None if it was sent by its URL."""

    data: bytes | None
    _sha256: bytes | None = None

    @property
    def sha256(self) -> bytes | None:
        """Of `data`; computed when it is first asked for."""
        if self._sha256 is None and self.data is not None:
            self._sha256 = hashlib.sha256(self.data).digest()
        return self._sha256
