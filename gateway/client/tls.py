"""Whom a client trusts, and how it proves who it is itself."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import grpc


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS to a gateway, or to a proxy before it; all in PEM.

    `roots`: the authorities that are trusted; None for those that gRPC brings along. `certificate` and `key`: the caller's own,
    for servers that ask for them (mutual TLS). `server_name`: what the server's certificate must be for, if that is not the
    target's host. Raises `ValueError` for a certificate without its key, or a key without its certificate.
    """

    roots: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    server_name: str | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            msg = "a certificate needs its key, and a key its certificate"
            raise ValueError(msg)

    @classmethod
    def from_files(
        cls,
        *,
        roots: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        server_name: str | None = None,
    ) -> Self:
        """As above, read from files. Raises `OSError` for one that cannot be read."""

        def read(path: Path | None) -> bytes | None:
            return None if path is None else path.read_bytes()

        return cls(roots=read(roots), certificate=read(certificate), key=read(key), server_name=server_name)

    def credentials(self) -> grpc.ChannelCredentials:
        """As gRPC takes them."""
        return grpc.ssl_channel_credentials(self.roots, self.key, self.certificate)
