import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rest.document import read_document
from gateway.rest.errors import RestError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
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


@pytest.mark.parametrize("value", [b"{}", b"0", b'""'])
def test_a_body_of_countless_values_is_not_read(value) -> None:
    assert read_document(b'{"a": [%s]}' % b",".join([value] * 4900))
    with pytest.raises(RestError, match="10000 values") as caught:
        read_document(b'{"a": [%s]}' % b",".join([value] * 10_000))
    assert caught.value.code == "AIS.0014"


def test_an_integer_of_thousands_of_digits_is_out_of_any_range() -> None:
    """Not malformed: so its parameter is named."""
    assert read_document(b'{"limit": ' + b"9" * 100_000 + b"}") == {"limit": math.inf}
    assert read_document(b'{"limit": -' + b"9" * 100_000 + b"}") == {"limit": -math.inf}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "Expecting value, at character 0"),
        (b'{"image": "AAAA",}', "at character 1"),
        (b'{"image": "C:\\x"}'.replace(b"\\\\", b"\\"), "Invalid \\\\escape, at character 13"),
        (b'{"image": "\xff"}', "not UTF-8, at byte 11"),
        (b'{"a":' * 9_000, "nested too deeply"),
    ],
)
def test_it_is_told_what_is_wrong_and_where(body, told) -> None:
    with pytest.raises(RestError, match=told):
        read_document(body)
