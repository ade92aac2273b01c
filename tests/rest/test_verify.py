"""The vendor's own signer is the oracle: whatever it signs must pass, and nothing else."""

import dataclasses
import hashlib
import string
from datetime import UTC, datetime

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import DerivationAKSKSigner, Signer
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.rest.verify import MAX_SKEW, Headers, SignatureError, SignedRequest, read_signature, verify

SIGNED_AT = 1_800_000_000.0
PATH = "/v2/p7/image/tagging"
JSON = {"Content-Type": "application/json"}
BSON = {"Content-Type": "application/bson"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
UPLOAD = {"Content-Type": "multipart/form-data; boundary=x"}
BODY = '{"url": "https://example.org/猫.jpg"}'.encode()


def signed(method="POST", path=PATH, query=(), headers=JSON, body=BODY, key=("AK", "SK"), derived=False) -> SignedRequest:
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
    if derived:
        DerivationAKSKSigner(BasicCredentials(*key)).sign(request, "image", "cn-east-3")
    else:
        Signer(BasicCredentials(*key)).sign(request)
    # The SDK sends the bytes of UTF-8 as Latin-1 characters; a server reads them as UTF-8 again.
    arrived = tuple((name.lower(), value.encode("latin-1").decode()) for name, value in request.header_params.items())
    return SignedRequest(method, request.uri, arrived, body)


def check(request: SignedRequest, *, sk: str = "SK", now: float = SIGNED_AT) -> bool:
    signature = read_signature(request.headers, now)
    assert signature.access_key == "AK"
    return verify(request, signature, sk)


def with_header(request: SignedRequest, name: str, *values: str) -> SignedRequest:
    """The request with that header replaced by `values`, one line each."""
    others = tuple((other, value) for other, value in request.headers if other != name)
    return dataclasses.replace(request, headers=others + tuple((name, value) for value in values))


def header(request: SignedRequest, name: str) -> str:
    (value,) = (value for other, value in request.headers if other == name)
    return value


@pytest.mark.parametrize("derived", [False, True])
@pytest.mark.parametrize(
    "options",
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
        {"headers": JSON | {"X_Note": "not signed, for its underscore"}},
        {"headers": {"Content-Type": "application/json;charset=utf-8"}},
        {"headers": BSON, "body": b"\x05\x00\x00\x00\x00"},
        {"headers": JSON | {"X-Sdk-Content-Sha256": hashlib.sha256(BODY).hexdigest()}},
        {"headers": JSON | {"X-Sdk-Content-Sha256": hashlib.sha256(BODY).hexdigest().upper()}},
    ],
)
def test_what_the_vendor_s_sdk_signs_is_accepted_with_its_body(options, derived) -> None:
    assert check(signed(**options, derived=derived)) is True


@pytest.mark.parametrize("headers", [FORM, UPLOAD, {"Content-Type": "text/plain"}])
def test_an_upload_is_signed_without_its_body(headers) -> None:
    request = signed(headers=headers, body=b"a=b")
    assert check(request) is False
    assert check(dataclasses.replace(request, body=b"other")) is False


@pytest.mark.parametrize("headers", [FORM, UPLOAD])
def test_an_upload_signed_without_any_body_stays_so(headers) -> None:
    request = signed(headers=headers, body=b"")
    assert check(request) is True
    with pytest.raises(SignatureError):
        check(dataclasses.replace(request, body=b"other"))


ALTERED = signed(query=[("a", "1")], headers=JSON | {"X-Project-Id": "p7"})


@pytest.mark.parametrize(
    "request_",
    [
        dataclasses.replace(ALTERED, body=BODY + b" "),
        dataclasses.replace(ALTERED, body=b""),
        dataclasses.replace(ALTERED, method="PUT"),
        dataclasses.replace(ALTERED, target=f"{PATH}s?a=1"),
        dataclasses.replace(ALTERED, target=f"{PATH}?a=2"),
        dataclasses.replace(ALTERED, target=PATH),
        dataclasses.replace(ALTERED, target=f"{PATH}?a=1&b="),
        dataclasses.replace(ALTERED, target=f"{PATH}?a=1&a=1"),
        dataclasses.replace(ALTERED, target=f"{PATH}?A=1"),
        dataclasses.replace(ALTERED, target=f"http://image.example{PATH}?a=1"),
        dataclasses.replace(ALTERED, target=f"{PATH}#?a=1"),
        dataclasses.replace(ALTERED, target=PATH.replace("/image/", "/image%2F") + "?a=1"),
        dataclasses.replace(ALTERED, target=PATH.replace("/image/", "/image%252F") + "?a=1"),
        dataclasses.replace(ALTERED, target="/" + PATH + "?a=1"),
        dataclasses.replace(ALTERED, target=PATH.replace("p7", "p7/.") + "?a=1"),
        with_header(ALTERED, "host", "image.example.org"),
        with_header(ALTERED, "content-type", "text/plain"),
        with_header(ALTERED, "content-type", "application/json\u00a0"),
        with_header(ALTERED, "x-project-id", "p8"),
        with_header(ALTERED, "x-project-id", "p7", "p8"),
        with_header(ALTERED, "x-project-id", "p7", "p7"),
        with_header(ALTERED, "x-project-id"),
        with_header(ALTERED, "host"),
        with_header(ALTERED, "x-sdk-date", "20270115T080001Z"),
        with_header(ALTERED, "authorization", *[header(ALTERED, "authorization")] * 2),
        with_header(ALTERED, "authorization", header(ALTERED, "authorization").replace("Access=AK", "Access=AK,x")),
        with_header(ALTERED, "x-domain-id", "d1"),
        with_header(ALTERED, "x-security-token", "t"),
        with_header(ALTERED, "x-sdk-content-sha256", hashlib.sha256(BODY).hexdigest()),
        with_header(ALTERED, "x-sdk-content-sha256", "UNSIGNED-PAYLOAD"),
    ],
)
def test_any_alteration_is_refused(request_) -> None:
    assert check(ALTERED)
    with pytest.raises(SignatureError):
        check(request_)


def test_spelling_that_means_the_same_does_not_count() -> None:
    request = signed(query=[("a", "x y~"), ("b", "")], headers=JSON | {"X-Project-Id": "p7"})
    for target in (f"{PATH}?b=&a=x%20y~", f"{PATH}?a=x+y%7E&b", f"/%76{PATH[2:]}?a=x%20y~&b=", f"{PATH}/?a=x%20y~&b="):
        assert check(dataclasses.replace(request, target=target))
    assert check(with_header(request, "x-project-id", "  p7\t"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"headers": JSON | {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}}, "other than JSON and BSON"),
        (
            {"headers": {"Content-Type": "application/bson", "X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}},
            "other than JSON and BSON",
        ),
        ({"headers": {"Content-Type": "Application/JSON"}}, "other than JSON and BSON"),  # the SDK compares letters
        ({"headers": {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}}, "other than JSON and BSON"),
        ({"headers": JSON | {"X-Sdk-Content-Sha256": hashlib.sha256(b"").hexdigest()}}, "not the hash of the body"),
        ({"headers": JSON | {"X-Sdk-Content-Sha256": "é"}}, "not the hash of the body"),
        ({"headers": JSON | {"X-Sdk-Content-Sha256": "0" * 64}, "body": b""}, "not the hash of the body"),
    ],
)
def test_the_body_must_be_signed_unless_it_is_an_upload(changes, message) -> None:
    with pytest.raises(SignatureError, match=message):
        check(signed(**changes))


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
def test_no_header_added_later_takes_the_body_out_of_the_signature(content_type) -> None:
    unnamed = signed(headers={})
    assert check(unnamed)
    added = with_header(with_header(unnamed, "x-sdk-content-sha256", "UNSIGNED-PAYLOAD"), "content-type", content_type)
    with pytest.raises(SignatureError, match="must be sent and signed"):
        check(dataclasses.replace(added, body=b"other"))


def test_the_content_type_of_an_upload_must_be_signed() -> None:
    request = signed(headers={"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"})
    with pytest.raises(SignatureError, match="signed content types"):
        check(with_header(request, "content-type", "text/plain"))


@pytest.mark.parametrize("derived", [False, True])
@pytest.mark.parametrize("sk", ["sk", "", "SKK", "SK "])
def test_the_wrong_key_is_refused(sk, derived) -> None:
    with pytest.raises(SignatureError, match="access key is unknown or the signature does not match"):
        check(signed(derived=derived), sk=sk)


@pytest.mark.parametrize("skew", [-MAX_SKEW, MAX_SKEW])
def test_clocks_may_differ_by_15_minutes(skew) -> None:
    assert check(signed(), now=SIGNED_AT + skew)
    with pytest.raises(SignatureError, match="15 minutes"):
        check(signed(), now=SIGNED_AT + skew * 1.001)


@pytest.mark.parametrize(
    "date",
    ["", "20270115", "2027-01-15T08:00:00Z", "20270115T080000", "20271315T080000Z", "2027115T8000Z", "2027011５T080000Z"],
)
def test_the_time_must_be_there_and_in_form(date) -> None:
    with pytest.raises(SignatureError, match="X-Sdk-Date"):
        check(with_header(signed(), "x-sdk-date", date))
    with pytest.raises(SignatureError, match="X-Sdk-Date"):
        check(with_header(signed(), "x-sdk-date"))


@pytest.mark.parametrize("left_out", ["host", "x-sdk-date", "x-project-id", "x-security-token"])
def test_what_says_whose_request_it_is_must_be_signed(left_out) -> None:
    request = signed(headers={"X-Project-Id": "p7", "X-Security-Token": "t"})
    authorization = header(request, "authorization")
    names = "host;x-project-id;x-sdk-date;x-security-token"
    assert names in authorization
    fewer = authorization.replace(names, ";".join(name for name in names.split(";") if name != left_out))
    with pytest.raises(SignatureError, match=f"header '{left_out}' must be sent and signed"):
        check(with_header(request, "authorization", fewer))


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic YTpi",
        "SDK-HMAC-SHA256",
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=",
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 63,
        "SDK-HMAC-SHA256 Access=, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=, Signature=" + "0" * 64,
        "SDK-HMAC-SHA256 Credential=AK/20270115/r/s/sdk_request, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
        "V11-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
        "V11-HMAC-SHA256 Credential=AK/20270115/r, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64,
    ],
)
def test_any_other_form_is_refused(authorization) -> None:
    with pytest.raises(SignatureError, match="not of the SDK-HMAC-SHA256 form"):
        check(with_header(signed(), "authorization", authorization))
    with pytest.raises(SignatureError, match="not of the SDK-HMAC-SHA256 form"):
        check(with_header(signed(), "authorization"))


def test_a_header_may_not_be_named_twice() -> None:
    authorization = "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date;host, Signature=" + "0" * 64
    with pytest.raises(SignatureError, match="names a header twice"):
        check(with_header(signed(), "authorization", authorization))


@pytest.mark.parametrize(
    ("old", "new"),
    [("20270115", "20270116"), ("cn-east-3", "cn-east-4"), ("/image,", "/video,"), ("V11-", "SDK-"), ("V11-", "V12-")],
)
def test_a_derived_key_is_for_its_day_region_and_service(old, new) -> None:
    request = signed(derived=True)
    authorization = header(request, "authorization")
    assert old in authorization
    with pytest.raises(SignatureError):
        check(with_header(request, "authorization", authorization.replace(old, new)))


def test_a_key_derived_for_another_day_signs_nothing(monkeypatch) -> None:
    monkeypatch.setattr(DerivationAKSKSigner, "BasicISODateFormat", "20270114")
    request = signed(derived=True)
    assert "Credential=AK/20270114/cn-east-3/image," in header(request, "authorization")
    with pytest.raises(SignatureError, match="day of the credential"):
        check(request)


@pytest.mark.parametrize("name", ["x-project-id", "authorization"])
def test_bytes_that_are_no_text_are_refused_like_any_other(name) -> None:
    value = header(ALTERED, name).replace("SignedHeaders=", "SignedHeaders=\udcff;").replace("p7", "p7\udcff")
    with pytest.raises(SignatureError):
        check(with_header(ALTERED, name, value))


_NAMES = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=12).map(lambda name: f"X-T{name}")
_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
_SEGMENTS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/%?#"), min_size=1, max_size=8)


@st.composite
def honest_requests(draw) -> SignedRequest:
    headers = draw(st.dictionaries(_NAMES, _TEXT, max_size=4))
    assume(len({name.lower() for name in headers}) == len(headers))
    return signed(
        method=draw(st.sampled_from(["GET", "POST", "PUT", "DELETE"])),
        path="/" + "/".join(draw(st.lists(_SEGMENTS, min_size=1, max_size=4))),
        query=draw(st.lists(st.tuples(_TEXT.filter(bool), _TEXT), max_size=5)),
        headers=draw(st.sampled_from([JSON, {}])) | headers,
        body=draw(st.binary(max_size=40)),
        derived=draw(st.booleans()),
    )


@settings(derandomize=True, deadline=None, max_examples=300)
@given(honest_requests())
def test_whatever_the_sdk_signs_is_accepted(request) -> None:
    assert check(request) is True


@settings(derandomize=True, deadline=None, max_examples=100)
@given(honest_requests(), st.data())
def test_no_single_change_is_accepted(request, data) -> None:
    """One character or line of one part is changed, added or left out. To make up a request takes longest, so each is changed in
    every part in turn."""
    for part in ("method", "path", "query", "body", "value", "double", "drop", "signature"):
        with pytest.raises(SignatureError):
            check(_changed(request, part, data))


def _changed(request: SignedRequest, part: str, data: st.DataObject) -> SignedRequest:
    path, _, query = request.target.partition("?")
    match part:
        case "method":
            return dataclasses.replace(request, method=data.draw(st.sampled_from(["PATCH", "HEAD", "OPTIONS"])))
        case "path":
            at = data.draw(st.integers(1, len(path)))
            letter = data.draw(st.sampled_from("aZ0-~!*'"))
            return dataclasses.replace(request, target=path[:at] + letter + path[at:] + ("?" + query if query else ""))
        case "query":
            more = data.draw(st.sampled_from(["a=", "a=1", "%00=", "é=1", "="]))
            return dataclasses.replace(request, target=f"{path}?{query}&{more}" if query else f"{path}?{more}")
        case "body":
            at = data.draw(st.integers(0, len(request.body)))
            return dataclasses.replace(request, body=request.body[:at] + b"\x00" + request.body[at:])
        case "value" | "double" | "drop":
            names = _signed_names(request.headers)
            name = data.draw(st.sampled_from(names))
            value = header(request, name)
            lines = {"value": [value + "x"], "double": [value, value], "drop": []}[part]
            return with_header(request, name, *lines)
        case _:
            authorization = header(request, "authorization")
            at = len(authorization) - data.draw(st.integers(1, 64))
            digit = "1" if authorization[at] == "0" else "0"
            return with_header(request, "authorization", authorization[:at] + digit + authorization[at + 1 :])


def _signed_names(headers: Headers) -> list[str]:
    return sorted({name for name, _ in headers if name != "authorization" and "_" not in name})
