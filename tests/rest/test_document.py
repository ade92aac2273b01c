import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rest.document import read_document
from gateway.rest.errors import RestError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES), st.booleans(), st.booleans())
def test_what_is_written_is_read(document, ascii_only, mark) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert read_document(b"\xef\xbb\xbf" * mark + body) == document


@given(st.binary() | st.text(alphabet='{}[]":,\\0123eE+-. tfn').map(str.encode))
def test_anything_else_is_refused(body) -> None:
    try:
        assert isinstance(read_document(body), dict)
    except RestError as error:
        assert error.code == "AIS.0014"  # noqa: PT017


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{}{}",
        b"\xff",
        "{}".encode("utf-16"),
        b'{"a": "\xe7\x8c"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[]",
        b'"text"',
        b"null",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 1}',
        b'{"b": {"a": 1, "a": 2}}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"{'a': 1}",
    ],
)
def test_no_object_of_json(body) -> None:
    with pytest.raises(RestError) as caught:
        read_document(body)
    assert caught.value.code == "AIS.0014"


def test_what_is_ambiguous_is_named() -> None:
    with pytest.raises(RestError, match="stands twice"):
        read_document(b'{"limit": 1, "limit": 2}')


def test_a_body_of_countless_objects_is_not_read() -> None:
    assert read_document(b'{"a": [%s]}' % b",".join([b"{}"] * 9000))
    with pytest.raises(RestError) as caught:
        read_document(b'{"a": [%s]}' % b",".join([b"{}"] * 10_000))
    assert caught.value.code == "AIS.0014"
