import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.complaint import Complaint, complaint_of

FAILURE = {"error_code": "AIS.0503", "error_msg": "broken"}
BROKEN = Complaint("AIS.0503", "broken")


def found(document: object, *, is_success: bool = False) -> Complaint | None:
    return complaint_of(json.dumps(document).encode(), is_success=is_success)


@pytest.mark.parametrize("is_success", [True, False])
@pytest.mark.parametrize(
    "document",
    [
        FAILURE,
        FAILURE | {"result": {"tags": []}},
        {"error": FAILURE},
        {"result": FAILURE},
        {"response": FAILURE},
        {"result": {"error": FAILURE}},
        {"error": {"code": "AIS.0503", "message": "broken"}},
        {"error": json.dumps(FAILURE)},
        {"result": " " + json.dumps({"error": json.dumps(FAILURE)})},
        {"error_code": "", "error": FAILURE},
        {"error": {"error_code": None}, "result": FAILURE},
        {"errorCode": "AIS.0503", "errorMsg": "broken"},
        {"error_code": "  AIS.0503\n", "error_msg": "broken"},
    ],
)
def test_it_is_found_however_it_is_wrapped(document, is_success) -> None:
    assert found(document, is_success=is_success) == BROKEN


def test_a_bare_code_is_an_error_only_where_the_status_says_so() -> None:
    document = {"code": "AIS.0503", "message": "broken"}
    assert found(document) == BROKEN
    assert found(document | {"note": "no error"}, is_success=True) is None
    assert found({"result": document, "note": "no error"}, is_success=True) is None


@pytest.mark.parametrize(
    "document",
    [
        {"result": {"tags": []}},
        {"result": {"tags": [FAILURE]}},
        {"result": "error" * 10},
        {"error_code": "", "error_msg": ""},
        {"error_code": None, "error": None, "result": {}},
        {"error": {}},
        {"error": "no"},
        {"error": '{"broken'},
        [FAILURE],
        None,
        7,
    ],
)
def test_what_is_no_complaint(document) -> None:
    assert found(document, is_success=True) is None


@pytest.mark.parametrize("code", [7, ["a"], {"a": 1}, True])
def test_a_code_that_is_no_text_is_a_complaint_without_one(code) -> None:
    assert found({"error_code": code, "error_msg": ["x"]}, is_success=True) == Complaint()


def test_envelopes_are_opened_so_far_and_no_further() -> None:
    document: dict[str, object] = FAILURE
    for _ in range(4):
        document = {"result": document}
    assert found(document) == BROKEN
    assert found({"result": document}) is None


def test_what_is_quoted_is_short_and_printable() -> None:
    complaint = found({"error_code": "AIS.0501\r\n\x1b[31m", "error_msg": "a\nb\x00 " + "c " * 10_000})
    assert (complaint.code + complaint.message).isprintable()
    assert complaint.message.startswith("a b")
    assert len(complaint.message) <= 200


@pytest.mark.parametrize(
    "secret",
    ["https://bucket.obs.cn-east-3.myhuaweicloud.com/a.jpg?Signature=hunter2", "obs://hunter2", "M" * 200 + "hunter2", "x" * 65],
)
def test_what_services_echo_is_withheld(secret) -> None:
    assert found({"error_code": "AIS.0022", "error_msg": f"no such picture: {secret} (sorry)"}).message.startswith(
        "no such picture: …"
    )


@pytest.mark.parametrize("body", [b"", b"<html>error</html>", b"\xff error", b"[" * 100_000, b'{"error_code": "AIS', b"1" * 5000])
def test_what_is_no_json_complains_of_nothing(body) -> None:
    assert complaint_of(body, is_success=False) is None
    assert complaint_of(body, is_success=True) is None


keys = st.sampled_from(["error", "error_code", "error_msg", "result", "response", "code", "message", "errorCode"]) | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()), st.booleans())
def test_nothing_raises(body, is_success) -> None:
    complaint = complaint_of(body, is_success=is_success)
    assert complaint is None or (complaint.code + complaint.message).isprintable()
