import json

import pytest
from multidict import CIMultiDict

from gateway.errors import Reason
from gateway.upstream.error_codes import REASON_BY_CODE, refusal_of
from gateway.upstream.transport import HttpReply

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


def reply(status: int, body: object, **headers: str) -> HttpReply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpReply(status, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), content)


def failure(code: object, message: object = "what is wrong") -> dict[str, object]:
    return {"error_code": code, "error_msg": message}


def test_the_codes_are_those_of_the_contract() -> None:
    assert set(REASON_BY_CODE) == set(BY_CODE)


@pytest.mark.parametrize("code", BY_CODE)
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_the_code_decides_whatever_the_status(code, status) -> None:
    refusal = refusal_of(reply(status, failure(code), X_Request_Id="abc"))
    assert refusal.reason in BY_CODE[code]
    assert (refusal.upstream.error_code, refusal.upstream.http_status, refusal.upstream.request_id) == (code, status, "abc")
    assert refusal.message == f"the cloud refused the call ({code}, HTTP {status}): what is wrong"


@pytest.mark.parametrize(("code", "reason"), [("APIGW.0301", "APIG.0301"), ("APIGW.0308", "APIG.0308")])
def test_the_api_gateway_s_other_prefix(code, reason) -> None:
    refusal = refusal_of(reply(400, failure(code)))
    assert (refusal.reason, refusal.upstream.error_code) == (REASON_BY_CODE[reason], code)


@pytest.mark.parametrize(
    "body", [{"result": {"tags": []}}, {"result": {}, "error_code": ""}, {"error_code": None}, b"", b"<html>"]
)
def test_200_without_a_code_is_a_success(body) -> None:
    assert refusal_of(reply(200, body)) is None


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
]


@pytest.mark.parametrize(("status", "reason"), BY_STATUS)
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"\xff", b"[]", b"null", b"[" * 100_000, {"error_code": 7}])
def test_without_a_code_the_status_decides(status, reason, body) -> None:
    refusal = refusal_of(reply(status, body))
    assert (refusal.reason, refusal.upstream.error_code) == (reason, "")
    assert refusal.message == f"the cloud refused the call (HTTP {status})"


@pytest.mark.parametrize(("status", "reason"), BY_STATUS)
def test_an_unknown_code_is_kept_and_the_status_decides(status, reason) -> None:
    refusal = refusal_of(reply(status, failure("AIS.9999")))
    assert (refusal.reason, refusal.upstream.error_code) == (reason, "AIS.9999")


def test_an_unknown_code_with_200_is_no_success() -> None:
    assert refusal_of(reply(200, failure("AIS.9999"))).reason is Reason.UPSTREAM_BAD_RESPONSE


def test_what_is_quoted_is_short_and_printable() -> None:
    refusal = refusal_of(reply(400, failure("AIS.0501\r\n\x1b[31m", "a\nb\x00" + "c" * 10_000)))
    assert refusal.message.isprintable()
    assert refusal.upstream.error_code.isprintable()
    assert "a b" in refusal.message
    assert len(refusal.message) < 300


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("7", 7.0), ("", None), ("-1", None), ("1.5", None), ("٣", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)],
)
def test_retry_after_in_seconds(value, seconds) -> None:
    assert refusal_of(reply(429, b"", retry_after=value)).retry_after == seconds


@pytest.mark.parametrize("value", ["999999999999", "9" * 400])
def test_retry_after_is_never_longer_than_a_day(value) -> None:
    assert refusal_of(reply(429, b"", retry_after=value)).retry_after == 86_400
