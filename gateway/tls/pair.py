"""A certificate and its key."""

import contextlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

_ROUNDS: Final = 3
"""Of a handshake; the client has seen the certificate in the second."""


class CertificateError(ValueError):
    """Files that cannot be served with. The message begins with the setting's name, and holds nothing of the files."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is served with. `certificate`, `key`: PEM, the first with those between it and the root; `context`: the same for
    Python's TLS, 1.2 or later; `expires`: seconds since the epoch."""

    certificate: bytes
    key: bytes = field(repr=False)
    context: ssl.SSLContext
    expires: float


def load_pair(certificate: Path, key: Path) -> Pair:
    """Read and check them.

    Raises `CertificateError` for files that cannot be used, and for a certificate that clients would refuse now whatever they
    trust: it has expired, is not valid yet, or is not for servers.
    """
    before = _read(certificate, key)
    context = _context(certificate, key)
    expires = _shake_hands(context, certificate)
    if _read(certificate, key) != before:
        _refuse(f"tls_certificate {certificate} and tls_key {key} changed while they were read")
    return Pair(*before, context, expires)


def _read(certificate: Path, key: Path) -> tuple[bytes, bytes]:
    contents = []
    for name, file in (("tls_certificate", certificate), ("tls_key", key)):
        try:
            contents.append(file.read_bytes())
        except OSError as error:
            _refuse(f"{name} {file} cannot be read: {error.strerror}")
    return contents[0], contents[1]


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    asked: list[bool] = []

    def no_passphrase() -> bytes:  # without it, OpenSSL asks on the terminal
        asked.append(True)
        return b""

    try:
        context.load_cert_chain(certificate, key, no_passphrase)
    except ssl.SSLError as error:
        if asked:
            _refuse(f"tls_key {key} is encrypted; it must not be")
        if error.reason == "KEY_VALUES_MISMATCH":
            _refuse(f"tls_key {key} is not the key of tls_certificate {certificate}")
        why = error.reason or "unreadable"
        _refuse(f"tls_certificate {certificate} and tls_key {key} are not a certificate and its key in PEM ({why})")
    except OSError as error:
        _refuse(f"tls_certificate {certificate} and tls_key {key} cannot be read: {error.strerror}")
    return context


def _shake_hands(server_context: ssl.SSLContext, certificate: Path) -> float:
    """Connect to the context, in memory, as a client that trusts the certificate; gives when it expires."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False  # by which name it is reached, only its clients know
    client_context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    try:
        client_context.load_verify_locations(certificate)
        client = client_context.wrap_bio(to_client, to_server)
        for _ in range(_ROUNDS):
            for side in (client, server):
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()
        shown = client.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        _refuse(f"tls_certificate {certificate} would be refused by every client: {error.verify_message}")
    except (ssl.SSLError, OSError) as error:
        _refuse(f"tls_certificate {certificate} cannot be served with: {getattr(error, 'reason', None) or error.strerror}")
    return float(ssl.cert_time_to_seconds(str(shown["notAfter"])))


def _refuse(problem: str) -> NoReturn:
    raise CertificateError(problem) from None
