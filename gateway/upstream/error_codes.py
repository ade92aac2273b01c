"""The vendor's error codes → `Reason` (API reference, section 6.2): by code first, by HTTP status second."""

from types import MappingProxyType
from typing import Final

from gateway.errors import Reason

_BY_REASON: Final[dict[Reason, str]] = {
    Reason.UPSTREAM_AUTHENTICATION_FAILED: (
        "AIS.0002 AIS.0026 APIG.0301 AIP.0001 ModelArts.0203 ModelArts.4101 ModelArts.4102 ModelArts.4103"
    ),
    Reason.UPSTREAM_PERMISSION_DENIED: "AIP.0003 AIP.0018 ModelArts.4203 ModelArts.4702",
    Reason.UPSTREAM_NOT_ENABLED: "AIS.0004 AIS.0007 AIP.0015 ModelArts.4204",
    Reason.UPSTREAM_ACCOUNT_RESTRICTED: "AIS.0027 AIS.0032 ModelArts.4106",
    Reason.UPSTREAM_NOT_FOUND: "APIG.0101 AIP.0004 AIS.0005",
    Reason.UPSTREAM_REQUEST_REJECTED: (
        "AIS.0010 AIS.0011 AIS.0012 AIS.0013 AIS.0014 AIS.0028 AIS.0030 AIS.0203 AIS.0501 AIP.0005 AIP.0006 AIP.0007 AIP.0008 "
        "AIP.0009 AIP.0010 AIP.0011 AIP.0012 AIP.0013 AIP.0014 AIP.0016 AIP.0017 AIP.0019 "
        "ModelArts.4104 ModelArts.4105 ModelArts.4201 ModelArts.4202"
    ),
    Reason.UPSTREAM_THROTTLED: "APIG.0308 AIS.0031",
    Reason.UPSTREAM_INTERNAL: "AIS.0003 AIS.0105 AIS.0206 AIS.0505 AIS.0506 AIP.0500 ModelArts.4107",
    Reason.IMAGE_REJECTED: "AIS.0015 AIS.0201 AIS.0204",
    Reason.IMAGE_FORMAT_UNSUPPORTED: "AIS.0021 AIS.0202 AIS.0502",
    Reason.IMAGE_DAMAGED: "AIS.0503",
    Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: "AIS.0205 AIS.0504",
    Reason.IMAGE_TOO_LARGE: "AIS.0020 AIS.0023 APIG.0201 ModelArts.4705",
    Reason.URI_INVALID: "AIS.0022 AIS.0024 ModelArts.4601 ModelArts.4703",
    Reason.URI_DOWNLOAD_FAILED: "AIS.0025 AIS.0029 ModelArts.4603 ModelArts.4704 ModelArts.4706",
}

REASON_BY_CODE: Final = MappingProxyType({code: reason for reason, codes in _BY_REASON.items() for code in codes.split()})
"""Every code of the contract."""

REASON_BY_STATUS: Final = MappingProxyType(
    {
        400: Reason.UPSTREAM_REQUEST_REJECTED,
        401: Reason.UPSTREAM_AUTHENTICATION_FAILED,
        403: Reason.UPSTREAM_PERMISSION_DENIED,
        404: Reason.UPSTREAM_NOT_FOUND,
        408: Reason.UPSTREAM_TIMEOUT,
        413: Reason.IMAGE_TOO_LARGE,
        415: Reason.IMAGE_FORMAT_UNSUPPORTED,
        429: Reason.UPSTREAM_THROTTLED,
        500: Reason.UPSTREAM_INTERNAL,
        502: Reason.UPSTREAM_UNAVAILABLE,
        503: Reason.UPSTREAM_UNAVAILABLE,
        504: Reason.UPSTREAM_TIMEOUT,
    }
)
"""What decides where no code does."""


def reason_of(code: str, status: int) -> Reason:
    """What a reply with this code (empty: none) and HTTP status complains of."""
    canonical = code.replace("APIGW.", "APIG.", 1)  # the API gateway spells its prefix both ways
    if canonical in REASON_BY_CODE:
        return REASON_BY_CODE[canonical]
    if status in REASON_BY_STATUS:
        return REASON_BY_STATUS[status]
    if status >= 500:
        return Reason.UPSTREAM_INTERNAL
    if 400 <= status < 500 or (code and status < 300):  # in the contract, a code is a refusal, whatever the status says
        return Reason.UPSTREAM_REQUEST_REJECTED
    return Reason.UPSTREAM_BAD_RESPONSE
