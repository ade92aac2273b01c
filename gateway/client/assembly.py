"""One file that comes in pieces, put together and checked."""

import hashlib
import io

from gateway.client.convert import not_the_contract
from gateway.errors import GatewayError, Reason


class Assembly:
    """Takes the pieces of one file."""

    def __init__(self, size: int, sha256: bytes) -> None:
        """`size` is in bytes."""
        self._size = size
        self._sha256 = sha256
        self._hash = hashlib.sha256()
        self._file = io.BytesIO()  # gives its bytes away uncopied

    @property
    def is_complete(self) -> bool:
        """Whether as many bytes have come as the file has."""
        return self._file.tell() == self._size

    def add(self, offset: int, data: bytes) -> None:
        """Take the piece that comes next. Raises `GatewayError` for what is not the contract's."""
        if offset != self._file.tell() or not 0 < len(data) <= self._size - offset:
            raise not_the_contract()
        self._file.write(data)
        self._hash.update(data)

    def whole(self) -> bytes:
        """The file, once it is complete. Raises `GatewayError` if it is not the one that was announced."""
        if self._hash.digest() != self._sha256:
            raise another_file()
        return self._file.getvalue()


def another_file() -> GatewayError:
    """The error for a file with another hash than was announced."""
    return GatewayError(
        Reason.INTERNAL, "the file is not the one that the gateway announced: its SHA-256 is another", field="sha256"
    )
