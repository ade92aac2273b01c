"""Every error code of the contract, with the HTTP status and the message that go with it (API reference, section 6.2)."""

from types import MappingProxyType
from typing import Final, NamedTuple


class Code(NamedTuple):
    """What is answered with a code."""

    status: int
    message: str


def _code(message: str, status: int = 400) -> Code:
    return Code(status, message)


CODES: Final = MappingProxyType(
    {
        "AIS.0002": _code("The authentication token is abnormal."),
        "AIS.0003": _code("An internal service error occurred."),
        "AIS.0004": _code("The request is unauthorized: the service has not been subscribed to."),
        "AIS.0005": _code("The service does not exist."),
        "AIS.0007": _code("The service has not been enabled."),
        "AIS.0010": _code("A request header is missing or empty."),
        "AIS.0011": _code("A request parameter is missing or empty."),
        "AIS.0012": _code("A request parameter is not supported."),
        "AIS.0013": _code("The request method is not allowed."),
        "AIS.0014": _code("The JSON format of the input data is incorrect."),
        "AIS.0015": _code("The Base64 encoding of the input data is incorrect."),
        "AIS.0020": _code("The request body is too large."),
        "AIS.0021": _code("The file type is not supported."),
        "AIS.0022": _code("The URL is invalid."),
        "AIS.0023": _code("The file behind the URL is too large."),
        "AIS.0024": _code("The file could not be obtained: the signature of its URL has expired or was refused."),
        "AIS.0025": _code("The file behind the URL is empty."),
        "AIS.0026": _code("The token is not of the project type."),
        "AIS.0027": _code("The account is frozen."),
        "AIS.0028": _code("The job is not owned by the caller."),
        "AIS.0029": _code("The file could not be downloaded from the Internet."),
        "AIS.0030": _code("The job is unknown or has expired."),
        "AIS.0031": _code("There are too many unfinished jobs."),
        "AIS.0032": _code("The free calls of this month are used up."),
        "AIS.0105": _code("Recognition failed."),
        "AIS.0201": _code("The input image could not be obtained."),
        "AIS.0202": _code("The image format is not supported."),
        "AIS.0203": _code("The input parameter does not meet the requirements."),
        "AIS.0204": _code("The colour depth is not supported."),
        "AIS.0205": _code("The resolution of the image is over the limit."),
        "AIS.0206": _code("The algorithm failed."),
        "AIS.0501": _code("The input parameter is invalid."),
        "AIS.0502": _code("The image format is not supported."),
        "AIS.0503": _code("The image is damaged."),
        "AIS.0504": _code("The image size does not meet requirements."),
        "AIS.0505": _code("The algorithm failed."),
        "AIS.0506": _code("An internal error occurred."),
        # The contract's table has 400 for these, and notes what the API gateway in front of the service often sends instead;
        # clients that look at the status only are told more by that.
        "APIG.0301": _code("Incorrect IAM authentication information.", 401),
        "APIG.0308": _code("The request rate is over the limit.", 429),
        "APIG.0101": _code("The API does not exist or is not published."),
        "APIG.0201": _code("The request body is too large."),
        "ModelArts.0203": _code("The token is invalid."),
        "ModelArts.4101": _code("The token is empty."),
        "ModelArts.4102": _code("The token could not be parsed."),
        "ModelArts.4103": _code("The token is invalid."),
        "ModelArts.4104": _code("The length of the request body is invalid."),
        "ModelArts.4105": _code("The JSON format of the request body is incorrect."),
        "ModelArts.4106": _code("The account is restricted."),
        "ModelArts.4107": _code("A temporary AK/SK could not be obtained."),
        "ModelArts.4201": _code("The request URL lacks the service's id."),
        "ModelArts.4202": _code("The request URL is malformed."),
        "ModelArts.4203": _code("There is no permission for this."),
        "ModelArts.4204": _code("The API has not been subscribed to."),
        "ModelArts.4601": _code("The external URL is invalid."),
        "ModelArts.4603": _code("The file could not be downloaded from the external URL."),
        "ModelArts.4702": _code("The OBS agency could not be queried."),
        "ModelArts.4703": _code("The OBS URL is invalid."),
        "ModelArts.4704": _code("The OBS file could not be obtained."),
        "ModelArts.4705": _code("The OBS file is too large."),
        "ModelArts.4706": _code("The OBS file does not exist."),
        "AIP.0001": _code("The authentication token is abnormal.", 403),
        "AIP.0003": _code("The caller has no access to the project in the URL.", 401),
        "AIP.0004": _code("The service does not exist."),
        "AIP.0005": _code("A request header is missing or empty."),
        "AIP.0006": _code("A request parameter is missing or empty."),
        "AIP.0007": _code("A request parameter is incorrect."),
        "AIP.0008": _code("The request method is not allowed.", 405),
        "AIP.0009": _code("The JSON format of the input data is incorrect."),
        "AIP.0010": _code("A parameter is out of range."),
        "AIP.0011": _code("The service has already been subscribed to."),
        "AIP.0012": _code("The input parameter is incorrect."),
        "AIP.0013": _code("A subscription parameter is missing or incorrect."),
        "AIP.0014": _code("It already exists."),
        "AIP.0015": _code("The service has not been subscribed to."),
        "AIP.0016": _code("A request parameter is wrong."),
        "AIP.0017": _code("The task does not exist."),
        "AIP.0018": _code("The agency could not be obtained."),
        "AIP.0019": _code("The service does not take several inputs."),
        "AIP.0500": _code("An internal service error occurred.", 500),
    }
)
"""Code → HTTP status and message. Which of them this face answers by itself: `OWN`; the others come by fault injection only."""

OWN: Final = frozenset(
    {
        "AIP.0003",
        "AIS.0002",
        "AIS.0003",
        "AIS.0004",
        "AIS.0007",
        "AIS.0010",
        "AIS.0011",
        "AIS.0012",
        "AIS.0013",
        "AIS.0014",
        "AIS.0015",
        "AIS.0020",
        "AIS.0021",
        "AIS.0022",
        "AIS.0023",
        "AIS.0024",
        "AIS.0025",
        "AIS.0026",
        "AIS.0027",
        "AIS.0029",
        "AIS.0032",
        "AIS.0105",
        "AIS.0201",
        "AIS.0202",
        "AIS.0203",
        "AIS.0205",
        "AIS.0206",
        "AIS.0501",
        "AIS.0502",
        "AIS.0503",
        "AIS.0504",
        "AIS.0505",
        "AIS.0506",
        "APIG.0101",
        "APIG.0301",
        "APIG.0308",
    }
)
"""The codes that a request can get without any fault being injected."""
