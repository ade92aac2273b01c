import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from gateway.errors import GatewayError, Reason
from gateway.upstream.error_codes import REASON_BY_CODE
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.reply import HttpReply
from gateway.upstream.verdict import classify, malformed

NOW = 1_792_567_680.0  # Wed, 21 Oct 2026 07:28:00 GMT
NO_CODE = [b"", b"<html>Bad Gateway</html>", b"\xff", b"[]", b"null", b"[" * 100_000, {"error_code": 7}]


def reply(status: int, body: object, **headers: str) -> HttpReply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpReply(status, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), content)


def judged(status: int, body: object, **headers: str) -> Attempt:
    return classify(reply(status, body, **headers), lambda: NOW)


def failure(code: object, message: object = "what is wrong") -> dict[str, object]:
    return {"error_code": code, "error_msg": message}


@pytest.mark.parametrize(
    "body",
    [
        {"result": {"tags": []}},
        {"result": {}, "error_code": ""},
        b'  \r\n{"result": ',  # cut short: whoever reads it finds out
        b"\xff\xd8\xff\xe0 a JPEG",
        b"\x89PNG\r\n\x1a\n",
        b"BM of a bitmap",
        b"RIFF    WEBP error",
    ],
)
def test_a_success(body) -> None:
    attempt = judged(200, body)
    assert (attempt.outcome, attempt.error, attempt.reply.status) == (Outcome.SUCCESS, None, 200)


@pytest.mark.parametrize("body", [b"", b"<html>It works!</html>", b"[]", b"null", b"GIF89a", b'"error"'])
def test_200_with_anything_else_is_malformed(body) -> None:
    attempt = judged(200, body, x_request_id="abc")
    assert (attempt.outcome, attempt.error.reason) == (Outcome.MALFORMED, Reason.UPSTREAM_BAD_RESPONSE)
    assert (attempt.error.upstream.http_status, attempt.error.upstream.request_id) == (200, "abc")
    assert attempt.reply is not None


OUTCOMES = {
    "APIG.0301": Outcome.UNAUTHENTICATED,
    "APIG.0308": Outcome.THROTTLED,
    "AIS.0031": Outcome.THROTTLED,
    "AIS.0206": Outcome.FAILED,
    "AIP.0500": Outcome.FAILED,
    "AIS.0503": Outcome.REFUSED,
    "AIS.0029": Outcome.REFUSED,
    "AIS.0032": Outcome.REFUSED,
    "AIP.0003": Outcome.REFUSED,
    "AIS.0004": Outcome.REFUSED,
    "APIG.0101": Outcome.REFUSED,
}


@pytest.mark.parametrize("code", OUTCOMES)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_the_code_decides_whatever_the_status(code, status) -> None:
    attempt = judged(status, failure(code), x_request_id="abc")
    error = attempt.error
    assert (attempt.outcome, error.reason) == (OUTCOMES[code], REASON_BY_CODE[code])
    assert (error.upstream.error_code, error.upstream.http_status, error.upstream.request_id) == (code, status, "abc")
    assert error.message == f"the cloud refused the call ({code}, HTTP {status}): what is wrong"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (201, Outcome.MALFORMED),
        (204, Outcome.MALFORMED),
        (302, Outcome.MALFORMED),
        (307, Outcome.MALFORMED),
        (400, Outcome.REFUSED),
        (401, Outcome.UNAUTHENTICATED),
        (403, Outcome.REFUSED),
        (404, Outcome.REFUSED),
        (408, Outcome.FAILED),
        (413, Outcome.REFUSED),
        (429, Outcome.THROTTLED),
        (500, Outcome.FAILED),
        (502, Outcome.FAILED),
        (503, Outcome.FAILED),
        (504, Outcome.FAILED),
        (599, Outcome.FAILED),
    ],
)
@pytest.mark.parametrize("body", NO_CODE)
def test_without_a_code_the_status_decides(status, outcome, body) -> None:
    attempt = judged(status, body)
    assert (attempt.outcome, attempt.error.upstream.error_code) == (outcome, "")
    assert attempt.error.message == f"the cloud refused the call (HTTP {status})"


def test_an_unknown_code_is_kept_and_the_status_decides() -> None:
    attempt = judged(503, failure("APIG.0303"))
    assert (attempt.outcome, attempt.error.reason) == (Outcome.FAILED, Reason.UPSTREAM_UNAVAILABLE)
    assert attempt.error.upstream.error_code == "APIG.0303"


def test_an_unknown_code_with_200_is_no_success() -> None:
    attempt = judged(200, failure("AIS.9999"))
    assert (attempt.outcome, attempt.error.reason) == (Outcome.REFUSED, Reason.UPSTREAM_REQUEST_REJECTED)
    assert attempt.error.upstream.error_code == "AIS.9999"


@pytest.mark.parametrize("status", [429, 503, 400])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 7 ", 7.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("999999999999", 86_400.0),
        ("9" * 400, 86_400.0),
        ("Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 86_400.0),
    ],
)
def test_how_long_to_wait(status, value, seconds) -> None:
    attempt = judged(status, b"", retry_after=value)
    assert (attempt.retry_after, attempt.error.retry_after) == (seconds, seconds)


def test_a_date_is_compared_with_the_server_s_own_clock() -> None:
    attempt = judged(429, b"", retry_after="Wed, 21 Oct 2026 09:00:05 GMT", date="Wed, 21 Oct 2026 09:00:00 GMT")
    assert attempt.retry_after == 5.0


def test_a_reply_that_cannot_be_read_after_all() -> None:
    attempt = malformed(reply(200, b"{", x_request_id="abc"), GatewayError(Reason.UPSTREAM_BAD_RESPONSE, "cut short"))
    assert (attempt.outcome, attempt.error.message) == (Outcome.MALFORMED, "cut short")
    assert (attempt.error.upstream.http_status, attempt.error.upstream.request_id) == (200, "abc")


@given(st.integers(200, 599), st.binary() | st.text().map(str.encode), st.text(max_size=40))
def test_nothing_raises(status, body, value) -> None:
    attempt = judged(status, body, retry_after=value)
    assert (attempt.outcome is Outcome.SUCCESS) == (attempt.error is None)
    assert attempt.retry_after is None or 0 <= attempt.retry_after <= 86_400
