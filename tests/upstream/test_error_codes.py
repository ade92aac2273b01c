import pytest

from gateway.errors import Reason
from gateway.upstream.error_codes import REASON_BY_CODE, reason_of

AUTH = {Reason.UPSTREAM_AUTHENTICATION_FAILED}
INTERNAL = {Reason.UPSTREAM_INTERNAL}
NOT_ENABLED = {Reason.UPSTREAM_NOT_ENABLED}
NOT_FOUND = {Reason.UPSTREAM_NOT_FOUND}
PERMISSION = {Reason.UPSTREAM_PERMISSION_DENIED}
REQUEST = {Reason.UPSTREAM_REQUEST_REJECTED}
ACCOUNT = {Reason.UPSTREAM_ACCOUNT_RESTRICTED}
THROTTLED = {Reason.UPSTREAM_THROTTLED}
TOO_LARGE = {Reason.IMAGE_TOO_LARGE}
URL = {Reason.URI_INVALID, Reason.URI_DOWNLOAD_FAILED}
IMAGE = {
    Reason.IMAGE_REJECTED,
    Reason.IMAGE_FORMAT_UNSUPPORTED,
    Reason.IMAGE_DAMAGED,
    Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
}

# The vendor's table, code by code in its order, with the class of each.
CONTRACT = [
    ("AIS.0002", AUTH),
    ("AIS.0003", INTERNAL),
    ("AIS.0004 AIS.0007", NOT_ENABLED),
    ("AIS.0010 AIS.0011 AIS.0012 AIS.0013 AIS.0014", REQUEST),
    ("AIS.0015", IMAGE),
    ("AIS.0020", TOO_LARGE),
    ("AIS.0021", IMAGE),
    ("AIS.0022", URL),
    ("AIS.0023", TOO_LARGE),
    ("AIS.0024 AIS.0025", URL),
    ("AIS.0026", AUTH),
    ("AIS.0027", ACCOUNT),
    ("AIS.0028", REQUEST),
    ("AIS.0029", URL),
    ("AIS.0030", REQUEST),
    ("AIS.0031", THROTTLED),
    ("AIS.0032", ACCOUNT),
    ("AIS.0201 AIS.0202", IMAGE),
    ("AIS.0203", REQUEST),
    ("AIS.0204 AIS.0205", IMAGE),
    ("AIS.0206", INTERNAL),
    ("AIS.0501", REQUEST),
    ("AIS.0502 AIS.0503 AIS.0504", IMAGE),
    ("AIS.0505 AIS.0506 AIS.0105", INTERNAL),
    ("APIG.0101", NOT_FOUND),
    ("APIG.0201", TOO_LARGE),
    ("APIG.0301", AUTH),
    ("APIG.0308", THROTTLED),
    ("ModelArts.0203 ModelArts.4101 ModelArts.4102 ModelArts.4103", AUTH),
    ("ModelArts.4104 ModelArts.4105", REQUEST),
    ("ModelArts.4106", ACCOUNT),
    ("ModelArts.4107", INTERNAL),
    ("ModelArts.4201 ModelArts.4202", REQUEST),
    ("ModelArts.4203", PERMISSION),
    ("ModelArts.4204", NOT_ENABLED),
    ("ModelArts.4601 ModelArts.4603", URL),
    ("ModelArts.4702", PERMISSION),
    ("ModelArts.4703 ModelArts.4704 ModelArts.4706", URL),
    ("ModelArts.4705", TOO_LARGE),
    ("AIP.0001", AUTH),
    ("AIP.0003", PERMISSION),
    ("AIP.0004 AIS.0005", NOT_FOUND),
    ("AIP.0005 AIP.0006 AIP.0007 AIP.0008 AIP.0009 AIP.0010", REQUEST),
    ("AIP.0011 AIP.0014", REQUEST),
    ("AIP.0012 AIP.0013 AIP.0016 AIP.0017 AIP.0019", REQUEST),
    ("AIP.0015", NOT_ENABLED),
    ("AIP.0018", PERMISSION),
    ("AIP.0500", INTERNAL),
]
BY_CODE = {code: allowed for codes, allowed in CONTRACT for code in codes.split()}


def test_the_codes_are_those_of_the_contract() -> None:
    assert set(REASON_BY_CODE) == set(BY_CODE)


@pytest.mark.parametrize("code", BY_CODE)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500, 503])
def test_the_code_decides_whatever_the_status(code, status) -> None:
    assert reason_of(code, status) in BY_CODE[code]


@pytest.mark.parametrize("code", [code for code in BY_CODE if code.startswith("APIG.")])
def test_the_api_gateway_s_other_prefix(code) -> None:
    assert reason_of(code.replace("APIG.", "APIGW."), 400) is REASON_BY_CODE[code]


BY_STATUS = [
    (400, Reason.UPSTREAM_REQUEST_REJECTED),
    (401, Reason.UPSTREAM_AUTHENTICATION_FAILED),
    (403, Reason.UPSTREAM_PERMISSION_DENIED),
    (404, Reason.UPSTREAM_NOT_FOUND),
    (408, Reason.UPSTREAM_TIMEOUT),
    (413, Reason.IMAGE_TOO_LARGE),
    (415, Reason.IMAGE_FORMAT_UNSUPPORTED),
    (418, Reason.UPSTREAM_REQUEST_REJECTED),
    (429, Reason.UPSTREAM_THROTTLED),
    (500, Reason.UPSTREAM_INTERNAL),
    (502, Reason.UPSTREAM_UNAVAILABLE),
    (503, Reason.UPSTREAM_UNAVAILABLE),
    (504, Reason.UPSTREAM_TIMEOUT),
    (599, Reason.UPSTREAM_INTERNAL),
    (302, Reason.UPSTREAM_BAD_RESPONSE),
    (204, Reason.UPSTREAM_BAD_RESPONSE),
    (200, Reason.UPSTREAM_BAD_RESPONSE),
]


@pytest.mark.parametrize(("status", "reason"), BY_STATUS)
@pytest.mark.parametrize("code", ["", "AIS.9999", "APIG.0303", "APIGW.0304", "APIG.0307", "ais.0002", "APIGW.", "AIS.0002 "])
def test_without_a_known_code_the_status_decides(status, reason, code) -> None:
    assert reason_of(code, status) is (Reason.UPSTREAM_REQUEST_REJECTED if code and status < 300 else reason)
