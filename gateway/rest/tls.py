"""TLS for the REST face."""

from pathlib import Path

from gateway.rest.settings import RestConfigError
from gateway.tls.pair import CertificateError, Pair, load_pair


def load_rest_pair(certificate: Path, key: Path) -> Pair:
    """What to serve with. Raises `RestConfigError` for files that cannot be used; see `load_pair`."""
    try:
        return load_pair(certificate, key)
    except CertificateError as error:
        raise RestConfigError([str(error)]) from None
