import base64
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.media import ImageContent, ImageUri
from gateway.rest.errors import RestError
from gateway.rest.forms import Form
from gateway.rest.parameters import ParameterError
from gateway.rest.source import MAX_BASE64_CHARS, source_in_document, source_in_form

DATA = bytes(range(256))
IMAGE = base64.b64encode(DATA).decode()
URL = "https://example.org/cat.jpg"
BOTH = ("image", "url")


@pytest.mark.parametrize(
    ("members", "source"),
    [
        ({"image": IMAGE}, ImageContent(DATA)),
        ({"image": IMAGE, "url": ""}, ImageContent(DATA)),
        ({"image": IMAGE, "url": None}, ImageContent(DATA)),
        ({"url": URL}, ImageUri(URL)),
        ({"url": URL, "image": ""}, ImageUri(URL)),
    ],
)
def test_the_source_is_the_one_that_is_not_empty(members, source) -> None:
    assert source_in_document(members, BOTH) == source


@given(st.binary(min_size=1, max_size=300), st.integers(1, 80), st.sampled_from(["\r\n", "\n", "\r"]))
def test_base64_may_be_broken_into_lines(data, width, line_break) -> None:
    lines = textwrap.wrap(base64.b64encode(data).decode(), width)
    assert source_in_document({"image": line_break.join([*lines, ""])}, BOTH) == ImageContent(data)


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAA",
        "AA==AA",
        "AAAA=",
        "AAAA====",
        "====",
        "AA-_",
        "AA A",
        " AAAA",
        "AA\tAA",
        "猫",
        "\ud800",
        "data:;base64,AAAA",
        "AAAA\0",
    ],
)
def test_other_forms_of_base64_are_refused(text) -> None:
    with pytest.raises(RestError) as caught:
        source_in_document({"image": text}, BOTH)
    assert caught.value.code == "AIS.0015"


@given(st.text(min_size=1) | st.text(alphabet="AZaz09+/=\n", min_size=1))
def test_any_text_is_base64_or_refused(text) -> None:
    try:
        source = source_in_document({"image": text}, BOTH)
    except RestError as error:
        assert error.code == "AIS.0015"  # noqa: PT017
    else:
        sent = text.replace("\n", "").replace("\r", "")
        canonical = base64.b64encode(source.data).decode()
        # The bits that no byte takes, in the character before the padding, may be anything.
        meant = len(canonical.rstrip("="))
        assert (canonical[: meant - 1], canonical[meant:]) == (sent[: meant - 1], sent[meant:])


def test_the_limit_counts_characters_without_line_breaks() -> None:
    longest = "A" * MAX_BASE64_CHARS
    assert len(source_in_document({"image": longest + "\n"}, BOTH).data) == MAX_BASE64_CHARS // 4 * 3
    with pytest.raises(RestError, match=f"{MAX_BASE64_CHARS + 4} characters") as caught:
        source_in_document({"image": longest + "AAAA"}, BOTH)
    assert caught.value.code == "AIS.0504"


@pytest.mark.parametrize(
    ("members", "accepted", "code"),
    [
        ({}, BOTH, "AIS.0011"),
        ({"image": "", "url": ""}, BOTH, "AIS.0011"),
        ({"image": None}, ("image",), "AIS.0011"),
        ({"Image": IMAGE}, BOTH, "AIS.0011"),
        ({"image": "AAAA", "url": URL}, BOTH, "AIS.0012"),
        ({"url": URL}, ("image",), "AIS.0012"),
        ({"image": IMAGE}, ("url",), "AIS.0012"),
        ({"url": "ftp://example.org/"}, BOTH, "AIS.0022"),
        ({"url": "cat.jpg"}, BOTH, "AIS.0022"),
        ({"url": "https://u:hunter2@example.org/"}, BOTH, "AIS.0022"),
        ({"url": "https://example.org/\ud800"}, BOTH, "AIS.0022"),
        ({"url": "https://example.org/" + "a" * 5000}, BOTH, "AIS.0022"),
    ],
)
def test_what_cannot_be_taken_has_its_code(members, accepted, code) -> None:
    with pytest.raises(RestError) as caught:
        source_in_document(members, accepted)
    assert caught.value.code == code
    assert "hunter2" not in caught.value.message


@pytest.mark.parametrize("members", [{"image": 7}, {"url": [URL]}, {"image": False, "url": URL}])
def test_a_source_that_is_no_text(members) -> None:
    with pytest.raises(ParameterError, match="it must be a string"):
        source_in_document(members, BOTH)


def test_a_form_gives_a_file() -> None:
    assert source_in_form(Form({"image": ""}, DATA)) == ImageContent(DATA)


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (Form({}, None), "AIS.0011"),
        (Form({}, b""), "AIS.0011"),
        (Form({"image": IMAGE}, None), "AIS.0012"),
        (Form({"image": IMAGE}, DATA), "AIS.0012"),
        (Form({"url": URL}, DATA), "AIS.0012"),
    ],
)
def test_a_form_without_a_file_or_with_more(form, code) -> None:
    with pytest.raises(RestError) as caught:
        source_in_form(form)
    assert caught.value.code == code
