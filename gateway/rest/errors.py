"""The contract's error codes, as this face answers them (API reference, section 6.2), and the table from `Reason`."""

from types import MappingProxyType
from typing import Final

from aiohttp import web

from gateway.errors import GatewayError, Reason


class RestError(Exception):
    """An error of the contract: `{"error_code", "error_msg"}` with an HTTP status."""

    def __init__(self, code: str, detail: str = "") -> None:
        """`code` is one of `CODES`; `detail` is added to its message, after a colon."""
        self.status, text = CODES[code]
        self.code = code
        self.message = f"{text} {detail}".strip()
        super().__init__(self.message)

    def response(self) -> web.Response:
        """The reply."""
        return web.json_response({"error_code": self.code, "error_msg": self.message}, status=self.status)


CODES: Final = MappingProxyType(
    {
        "AIS.0011": (400, "A request parameter is missing or empty."),
        "AIS.0012": (400, "A request parameter is not supported."),
        "AIS.0013": (400, "The request method is not allowed."),
        "AIS.0014": (400, "The JSON format of the input data is incorrect."),
        "AIS.0015": (400, "The Base64 encoding of the input data is incorrect."),
        "AIS.0020": (400, "The request body is too large."),
        "AIS.0022": (400, "The URL is invalid."),
        "AIS.0026": (400, "The token is not of the project type."),
        "AIS.0029": (400, "The file could not be downloaded from the Internet."),
        "AIS.0501": (400, "The input parameter is invalid."),
        "AIS.0502": (400, "The image format is not supported."),
        "AIS.0503": (400, "The image is damaged."),
        "AIS.0504": (400, "The image size does not meet requirements."),
        "AIS.0506": (400, "An internal error occurred."),
        "AIP.0003": (401, "The caller has no access to the project in the URL."),
        "APIG.0101": (404, "The API does not exist or is not published."),
        "APIG.0301": (401, "Incorrect IAM authentication information."),
    }
)
"""Code → HTTP status and message."""

_BY_REASON: Final = MappingProxyType(
    {
        Reason.INVALID_ARGUMENT: "AIS.0501",
        Reason.IMAGE_EMPTY: "AIS.0011",
        Reason.IMAGE_FORMAT_UNSUPPORTED: "AIS.0502",
        Reason.IMAGE_DAMAGED: "AIS.0503",
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: "AIS.0504",
        Reason.IMAGE_TOO_LARGE: "AIS.0504",
        Reason.IMAGE_REJECTED: "AIS.0503",
        Reason.URI_INVALID: "AIS.0022",
        Reason.URI_FORBIDDEN: "AIS.0022",
        Reason.URI_DOWNLOAD_FAILED: "AIS.0029",
    }
)


def code_of(reason: Reason) -> str:
    """The code for `reason`. What is not the request's fault is the service's: an internal error."""
    return _BY_REASON.get(reason, "AIS.0506")


def rest_error(error: GatewayError) -> RestError:
    """The contract's form of `error`."""
    code = code_of(error.reason)
    return RestError(code, "" if code == "AIS.0506" else f"({error.message})")
