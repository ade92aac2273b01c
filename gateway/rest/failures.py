"""The gateway's failures as the contract's: a table from `Reason` to codes for each family of operations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.errors import GatewayError, Reason
from gateway.media import ImageUri
from gateway.rest.errors import RestError
from gateway.rest.obs import is_signed

_OF_DOWNLOADS: Final = MappingProxyType(
    {
        Reason.URI_INVALID: "AIS.0022",
        Reason.URI_FORBIDDEN: "AIS.0022",
        Reason.URI_DOWNLOAD_FAILED: "AIS.0029",
        Reason.IMAGE_EMPTY: "AIS.0025",
        Reason.IMAGE_TOO_LARGE: "AIS.0023",
        Reason.MEDIA_TOO_LARGE: "AIS.0023",
    }
)
"""What is said of a file that was given by its URL; goes before the table of the family."""


@dataclass(frozen=True, slots=True)
class Family:
    """Operations that share their codes. The reference has one list of codes; its blocks are read as one for each family."""

    parameter: str
    """A parameter of the wrong kind or out of range."""
    failed: str
    """The work failed though nothing was wrong with the request."""
    internal: str
    """A fault of this service itself."""
    by_reason: Mapping[Reason, str]

    def error_of(self, error: GatewayError, source: object = None) -> RestError:
        """The contract's form of `error`. `source` is what the request gave to work on; what failed by no fault of the request
        is told without detail."""
        code = self.by_reason.get(error.reason)
        if isinstance(source, ImageUri):
            code = _OF_DOWNLOADS.get(error.reason, code)
            if (
                error.reason is Reason.URI_DOWNLOAD_FAILED
                and error.measured in {"HTTP 401", "HTTP 403"}
                and is_signed(source.uri)
            ):
                code = "AIS.0024"
        if code == _OVER and not _is_over(error):
            code = "AIS.0504"
        if code is None:
            return RestError(self.internal if error.reason is Reason.INTERNAL else self.failed)
        return RestError(code, f"({error.message})")


_OVER: Final = "AIS.0205"


def _is_over(error: GatewayError) -> bool:
    """Whether what `error` is about is over a limit. Sides must lie in a range; they may be below it, which is another code."""
    measured, allowed = ([int(number) for number in re.findall(r"\d+", text)] for text in (error.measured, error.allowed))
    return len(allowed) < 2 or not measured or max(measured) > max(allowed)


TAGGING: Final = Family(
    parameter="AIS.0501",
    failed="AIS.0505",
    internal="AIS.0506",
    by_reason=MappingProxyType(
        {
            Reason.INVALID_ARGUMENT: "AIS.0501",
            Reason.IMAGE_EMPTY: "AIS.0011",
            Reason.IMAGE_FORMAT_UNSUPPORTED: "AIS.0502",
            Reason.IMAGE_DAMAGED: "AIS.0503",
            Reason.IMAGE_REJECTED: "AIS.0503",
            Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: "AIS.0504",
            Reason.IMAGE_TOO_LARGE: "AIS.0504",
            Reason.URI_INVALID: "AIS.0022",
        }
    ),
)

VISION: Final = Family(
    parameter="AIS.0203",
    failed="AIS.0206",
    internal="AIS.0003",
    by_reason=MappingProxyType(
        {
            Reason.INVALID_ARGUMENT: "AIS.0203",
            Reason.IMAGE_EMPTY: "AIS.0011",
            Reason.IMAGE_FORMAT_UNSUPPORTED: "AIS.0202",
            Reason.IMAGE_DAMAGED: "AIS.0201",
            Reason.IMAGE_REJECTED: "AIS.0201",
            Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: _OVER,
            Reason.IMAGE_TOO_LARGE: "AIS.0504",  # the only code whose text limits the length in base64
            Reason.RESULT_TOO_LARGE: _OVER,
        }
    ),
)

MUSIC: Final = Family(
    parameter="AIS.0012",
    failed="AIS.0105",
    internal="AIS.0003",
    by_reason=MappingProxyType(
        {
            Reason.INVALID_ARGUMENT: "AIS.0012",
            Reason.MEDIA_UNSUPPORTED: "AIS.0021",
            Reason.MEDIA_DAMAGED: "AIS.0105",
            Reason.MEDIA_TOO_LARGE: "AIS.0023",
            Reason.URI_INVALID: "AIS.0022",
        }
    ),
)
