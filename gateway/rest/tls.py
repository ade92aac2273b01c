"""TLS for the REST face."""

import contextlib
import ssl
from pathlib import Path
from typing import Final, NoReturn

from gateway.rest.settings import RestConfigError, RestSettings

_ROUNDS: Final = 3
"""Of a handshake; the client has seen the certificate in the second."""


def server_ssl_context(settings: RestSettings) -> ssl.SSLContext | None:
    """The context to serve with, TLS 1.2 or later; None unless the settings name a certificate.

    Raises `RestConfigError` for files that cannot be used, and for a certificate that clients would refuse now whatever they
    trust: it has expired, is not valid yet, or is not for servers.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return None
    for name, file in (("tls_certificate", certificate), ("tls_key", key)):
        try:
            file.read_bytes()
        except OSError as error:
            _refuse(f"{name} {file} cannot be read: {error.strerror}")
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
    _shake_hands(context, certificate)
    return context


def _shake_hands(server_context: ssl.SSLContext, certificate: Path) -> None:
    """Connect to the context, in memory, as a client that trusts the certificate."""
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.check_hostname = False  # by which name it is reached, only its clients know
    client_context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client_context.load_verify_locations(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    try:
        for _ in range(_ROUNDS):
            for side in (client, server):
                with contextlib.suppress(ssl.SSLWantReadError):
                    side.do_handshake()
    except ssl.SSLCertVerificationError as error:
        _refuse(f"tls_certificate {certificate} would be refused by every client: {error.verify_message}")
    except ssl.SSLError as error:
        _refuse(f"tls_certificate {certificate} cannot be served with: {error.reason}")


def _refuse(problem: str) -> NoReturn:
    raise RestConfigError([problem]) from None
