"""What can be known of a URL to be useless before a call is spent on it."""

from typing import Final

from gateway.errors import GatewayError, Reason
from gateway.obs.address import region_of
from gateway.obs.authorization import expires_at

CLOCK_TOLERANCE: Final = 30.0
"""Seconds that this clock may differ from the store's: what expired later than that ago is left to the store to judge."""


def check_usable(uri: str, now: float, region: str | None, *, tolerance: float = CLOCK_TOLERANCE) -> None:
    """Raise `GatewayError` with `URI_INVALID` if the service of `region` cannot read a picture from `uri` at the time `now`.

    That is so if the URL's authorization expired more than `tolerance` seconds before `now` (seconds since the epoch), or if it
    leads to an object store of another region; None asks nothing of the region. `uri` is one that `ImageUri` takes. The error
    does not repeat it.
    """
    end = expires_at(uri)
    if end is not None and end + tolerance < now:
        raise _unusable("its authorization has expired", measured=f"expired {now - end:.0f} s ago", allowed="a valid one")
    found = region_of(uri)
    if region is not None and found is not None and found != region:
        raise _unusable(
            f"it leads to the object store of the region {found}; the service reads that of {region} only",
            measured=f"region {found}",
            allowed=f"region {region}",
        )


def _unusable(why: str, *, measured: str, allowed: str) -> GatewayError:
    message = f"the URL cannot be used: {why}"
    return GatewayError(Reason.URI_INVALID, message, field="uri", measured=measured, allowed=allowed)
