"""The vendor's own signer is the oracle: whatever it signs must pass, and nothing else."""

import dataclasses
from datetime import UTC, datetime

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from gateway.rest.verify import MAX_SKEW, SignatureError, SignedRequest, verify

SIGNED_AT = 1_800_000_000.0
PATH = "/v2/p7/image/tagging"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BODY = '{"url": "https://example.org/猫.jpg"}'.encode()


def signed(method="POST", path=PATH, query=(), headers=JSON, body=BODY, key=("AK", "SK")) -> SignedRequest:
    """A request as it arrives after the vendor's SDK signed it."""
    date = datetime.fromtimestamp(SIGNED_AT, UTC).strftime("%Y%m%dT%H%M%SZ")
    request = SdkRequest(
        method=method,
        schema="https",
        host="image.example",
        resource_path=path,
        query_params=list(query),
        header_params={"X-Sdk-Date": date, **headers},
        body=body,
    )
    Signer(BasicCredentials(*key)).sign(request)
    # The SDK sends the bytes of UTF-8 as Latin-1 characters; a server reads them as UTF-8 again.
    arrived = {name.lower(): value.encode("latin-1").decode() for name, value in request.header_params.items()}
    return SignedRequest(method, request.uri, arrived, body)


def check(request: SignedRequest, *, pair: tuple[str, str] = ("AK", "SK"), now: float = SIGNED_AT) -> None:
    verify(request, access_key=pair[0], secret_key=pair[1], now=now)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"method": "GET", "body": b"", "headers": {}},
        {"method": "GET", "body": b"", "path": "/", "headers": {}},
        {"path": PATH + "/"},
        {"query": [("name", "north")], "method": "GET", "body": b"", "path": "/v3/projects"},
        {"query": [("b", "2"), ("a", "1"), ("a", "0"), ("A", "3"), ("empty", "")]},
        {"query": [("a", ["2", "10", "1"]), ("flag", True), ("n", 7)]},
        {"query": [("sp ace", "a+b c/d?e=f&g~h*i%20j"), ("猫", "犬")]},
        {"path": "/v2/p 7/猫/a~b*c"},
        {"path": "/v2/p%207/%E7%8C%AB"},
        {"headers": JSON | {"X-Project-Id": "p7", "X-Security-Token": "temporary"}},
        {"headers": JSON | {"X-Note": "  猫 in  the middle  "}},
        {"headers": {"Content-Type": "application/json;charset=utf-8"}},
        {"headers": {"Content-Type": "application/bson"}, "body": b"\x05\x00\x00\x00\x00"},
        {"headers": FORM, "body": b""},
    ],
)
def test_what_the_vendor_s_sdk_signs_is_accepted(given) -> None:
    check(signed(**given))


def altered(**changes) -> SignedRequest:
    return dataclasses.replace(signed(query=[("a", "1")], headers=JSON | {"X-Project-Id": "p7"}), **changes)


def with_header(name: str, value: str | None) -> SignedRequest:
    headers = dict(altered().headers)
    headers.pop(name, None)
    return altered(headers=headers if value is None else headers | {name: value})


@pytest.mark.parametrize(
    "request_",
    [
        altered(body=BODY + b" "),
        altered(body=b""),
        altered(method="PUT"),
        altered(target=f"{PATH}s?a=1"),
        altered(target=f"{PATH}?a=2"),
        altered(target=PATH),
        altered(target=f"{PATH}?a=1&b="),
        with_header("host", "image.example.org"),
        with_header("content-type", "text/plain"),
        with_header("x-project-id", "p8"),
        with_header("x-project-id", None),
        with_header("host", None),
        with_header("x-sdk-date", "20270115T080001Z"),
    ],
)
def test_any_alteration_is_refused(request_) -> None:
    check(altered())
    with pytest.raises(SignatureError):
        check(request_)


def test_the_order_of_the_query_and_the_space_around_a_header_do_not_count() -> None:
    request = signed(query=[("a", "1"), ("b", "2")])
    check(dataclasses.replace(request, target=f"{PATH}?b=2&a=1"))
    check(with_header("x-project-id", "  p7 "))


def test_json_is_signed_with_its_content_whatever_a_header_says() -> None:
    with pytest.raises(SignatureError):
        check(signed(headers=JSON | {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}))


@pytest.mark.parametrize("headers", [FORM, {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "text/plain"}])
def test_a_signature_without_the_content_is_refused(headers) -> None:
    with pytest.raises(SignatureError):
        check(signed(headers=headers, body=b"a=b"))


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_no_header_added_later_takes_the_body_out_of_the_signature(content_type) -> None:
    added = {"x-sdk-content-sha256": "UNSIGNED-PAYLOAD", "content-type": content_type}
    unnamed = signed(headers={})
    check(unnamed)
    with pytest.raises(SignatureError):
        check(dataclasses.replace(unnamed, headers={**unnamed.headers, **added}, body=b"other"))


@pytest.mark.parametrize("pair", [("ak", "SK"), ("AKK", "SK"), ("AK", "sk"), ("AK", "")])
def test_the_wrong_key_is_refused(pair) -> None:
    with pytest.raises(SignatureError, match="access key is unknown or the signature does not match"):
        check(signed(), pair=pair)


@pytest.mark.parametrize("skew", [-MAX_SKEW, MAX_SKEW])
def test_clocks_may_differ_by_15_minutes(skew) -> None:
    check(signed(), now=SIGNED_AT + skew)
    with pytest.raises(SignatureError, match="15 minutes"):
        check(signed(), now=SIGNED_AT + skew * 1.001)


@pytest.mark.parametrize("date", [None, "", "20270115", "2027-01-15T08:00:00Z", "20270115T080000", "20271315T080000Z"])
def test_the_time_must_be_there_and_in_form(date) -> None:
    with pytest.raises(SignatureError, match="X-Sdk-Date"):
        check(with_header("x-sdk-date", date))


@pytest.mark.parametrize("left_out", ["host", "x-sdk-date"])
def test_host_and_time_must_be_signed(left_out) -> None:
    authorization = signed().headers["authorization"]
    names = "content-type;host;x-sdk-date"
    assert names in authorization
    fewer = authorization.replace(names, ";".join(name for name in names.split(";") if name != left_out))
    with pytest.raises(SignatureError, match=f"header '{left_out}' must be sent and signed"):
        check(with_header("authorization", fewer))


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic YTpi",
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=",
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 63,
        "SDK-HMAC-SHA256 Access=, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Credential=AK/20270115/r/s/sdk_request, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
        "V11-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
    ],
)
def test_any_other_form_is_refused(authorization) -> None:
    with pytest.raises(SignatureError, match="not of the SDK-HMAC-SHA256 form"):
        check(with_header("authorization", authorization))


@pytest.mark.parametrize("name", ["x-project-id", "authorization"])
def test_bytes_that_are_no_text_are_refused_like_any_other(name) -> None:
    value = altered().headers[name].replace("AK", "AK\udcff").replace("p7", "p7\udcff")
    with pytest.raises(SignatureError):
        check(with_header(name, value))
