"""Temporary authorizations in URLs of the object store, as the service judges them (API reference, section 6.3)."""

from gateway.obs import expires_at, is_signed
from gateway.rest.errors import RestError

__all__ = ("check_not_expired", "is_signed")


def check_not_expired(url: str, now: float) -> None:
    """Raise `RestError` if `url` was valid until a time before `now`, in seconds since the epoch.

    The store itself would refuse it; saying so here spares the way there, and tells why.
    """
    end = expires_at(url)
    if end is not None and end <= now:
        raise RestError("AIS.0024", "(the URL was valid until the time that its Expires says)")
