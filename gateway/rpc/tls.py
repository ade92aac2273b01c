"""TLS of the gRPC port, with whichever certificate is in force when a connection is made."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import grpc

from gateway.rpc.settings import RpcSettings
from gateway.tls.pair import CertificateError, load_pair


@dataclass(frozen=True, slots=True)
class Served:
    """What connections are made with. `expires`: when its certificate does, in seconds since the epoch."""

    configuration: grpc.ServerCertificateConfiguration
    expires: float


def tls_files(settings: RpcSettings) -> tuple[Path, ...]:
    """The files that the settings name; none without TLS."""
    return tuple(file for file in (settings.tls_certificate, settings.tls_key, settings.tls_client_ca) if file is not None)


def load_served(settings: RpcSettings) -> Served:
    """Read the files of settings that name a certificate. Raises `CertificateError` for files that cannot be used."""
    if settings.tls_certificate is None or settings.tls_key is None:
        msg = "tls_certificate and tls_key: needed for TLS"
        raise CertificateError(msg)
    pair = load_pair(settings.tls_certificate, settings.tls_key)
    authorities = _authorities(settings.tls_client_ca) if settings.tls_client_ca is not None else None
    return Served(grpc.ssl_server_certificate_configuration([(pair.key, pair.certificate)], authorities), pair.expires)


def server_credentials(current: Callable[[], Served], settings: RpcSettings) -> grpc.ServerCredentials:
    """Credentials that ask `current` before every handshake, for one port: of threads of gRPC's, but one at a time.

    gRPC builds its TLS anew for what it is given, so it is given no more than what has changed.
    """
    given = current()

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal given
        now = current()
        if now is given:
            return None
        given = now
        return now.configuration

    return grpc.dynamic_ssl_server_credentials(
        given.configuration,
        changed,  # type: ignore[arg-type]  # the stubs do not know that None stands for no change
        require_client_authentication=settings.tls_client_auth == "require",
    )


def _authorities(file: Path) -> bytes:
    try:
        content = file.read_bytes()
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=content.decode())
    except OSError as error:  # ssl's own among them
        why = error.strerror if not isinstance(error, ssl.SSLError) else "no certificates in PEM"
        msg = f"tls_client_ca {file} cannot be used: {why}"
        raise CertificateError(msg) from None
    except ValueError:  # no text, or an empty one
        msg = f"tls_client_ca {file} cannot be used: no certificates in PEM"
        raise CertificateError(msg) from None
    return content
