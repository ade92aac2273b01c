"""The cloud's object store (OBS), as far as pictures and recordings are named by URLs of it."""

from gateway.obs.address import ObsObject, region_of
from gateway.obs.authorization import expires_at, is_signed
from gateway.obs.signature import MAX_VALIDITY, ObsKeys, signed_url
from gateway.obs.usable import CLOCK_TOLERANCE, check_usable

__all__ = (
    "CLOCK_TOLERANCE",
    "MAX_VALIDITY",
    "ObsKeys",
    "ObsObject",
    "check_usable",
    "expires_at",
    "is_signed",
    "region_of",
    "signed_url",
)
