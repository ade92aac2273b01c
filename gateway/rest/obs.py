"""URLs of the cloud's object store (OBS) that carry a temporary authorization (API reference, section 6.3)."""

from typing import Final
from urllib.parse import parse_qs, urlsplit

from gateway.rest.errors import RestError

_AUTHORIZATION: Final = ("AccessKeyId", "Expires", "Signature")


def is_signed(url: str) -> bool:
    """Whether `url` carries such an authorization."""
    query = parse_qs(urlsplit(url).query)
    return all(name in query for name in _AUTHORIZATION)


def check_not_expired(url: str, now: float) -> None:
    """Raise `RestError` if `url` was valid until a time before `now`, in seconds since the epoch.

    The store itself would refuse it; saying so here spares the way there, and tells why.
    """
    if not is_signed(url):
        return
    expires = parse_qs(urlsplit(url).query)["Expires"][0]
    if expires.isascii() and expires.isdigit() and int(expires[:20]) <= now:
        raise RestError("AIS.0024", "(the URL was valid until the time that its Expires says)")
