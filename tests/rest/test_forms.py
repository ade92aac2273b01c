import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from gateway.rest.errors import RestError
from gateway.rest.forms import MAX_PARTS, Form, read_form

FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
GAMMA = b'--b\r\nContent-Disposition: form-data; name="gamma"\r\n\r\n2.5\r\n'
END = b"--b--\r\n"


def written(files: dict[str, object], fields: dict[str, str]) -> tuple[bytes, str]:
    """Body and boundary as `requests` writes them."""
    request = requests.Request("POST", "http://x/", files=files, data=fields).prepare()
    return request.body, request.headers["Content-Type"].partition("boundary=")[2]


NAMES = st.text(alphabet=st.characters(min_codepoint=97, max_codepoint=122), min_size=1).filter(lambda name: name != "file")


@given(st.binary(max_size=200), st.dictionaries(NAMES, st.text(max_size=20), max_size=5))
def test_what_requests_writes_is_read(content, fields) -> None:
    form = read_form(*written({"file": ("猫.jpg", content, "image/jpeg")}, fields))
    assert form == Form(fields, content)


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\r\n--", b"--b", b"\r\n\r\n--b--", b"\n--b--\n", b"-\r\n-b"])
def test_a_file_may_hold_what_looks_like_the_end(content) -> None:
    body = FILE.replace(b"--b", b"--bound") + content + b"\r\n--bound--"
    assert read_form(body, "bound").file == content


@pytest.mark.parametrize(
    "body",
    [
        FILE + b"picture\r\n" + GAMMA + END,
        GAMMA + FILE + b"picture\r\n" + END,
        b"a preamble\r\n" + GAMMA + FILE + b"picture\r\n" + END + b"an epilogue",
        FILE.replace(b"--b\r", b"--b \t\r") + b"picture\r\n" + GAMMA + b"--b--",
        FILE.lower().replace(b"content-type", b"X-Some\xff\xfething: 1\r\ncontent-type") + b"picture\r\n" + GAMMA + END,
        FILE.replace(b"a.jpg", "猫.jpg".encode()) + b"picture\r\n" + GAMMA + END,
    ],
)
def test_the_ways_in_which_a_form_is_written(body) -> None:
    assert read_form(body, "b") == Form({"gamma": "2.5"}, b"picture")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "AIS.0014"),
        (b"{}", "AIS.0014"),
        (FILE + b"cut sh", "AIS.0014"),
        (FILE[:-4], "AIS.0014"),
        (FILE[:-4] + END, "AIS.0014"),
        (b"--b", "AIS.0014"),
        (b"--bx\r\n" + END, "AIS.0014"),
        (b"--b\r\n\r\nno name\r\n" + END, "AIS.0014"),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nno name\r\n" + END, "AIS.0014"),
        (b'--b\r\nContent-Disposition: attachment; name="file"\r\n\r\nx\r\n' + END, "AIS.0014"),
        (FILE.replace(b"Content-Type: ", b"Content-Transfer-Encoding: base64\r\nX: ") + b"AAAA\r\n" + END, "AIS.0014"),
        (FILE.replace(b"Content-Type: ", b"Content-Transfer-Encoding: \xff\r\nX: ") + b"AAAA\r\n" + END, "AIS.0014"),
        (GAMMA.replace(b"2.5", b"\xff") + END, "AIS.0014"),
        (FILE.replace(b"a.jpg", b"a" * 9000) + b"\r\n" + END, "AIS.0014"),
        (GAMMA + GAMMA + END, "AIS.0012"),
        (FILE + b"1\r\n" + FILE + b"2\r\n" + END, "AIS.0012"),
    ],
)
def test_what_is_no_form_or_ambiguous(body, code) -> None:
    with pytest.raises(RestError) as caught:
        read_form(body, "b")
    assert caught.value.code == code


def test_parts_are_counted() -> None:
    def fields(count: int) -> bytes:
        return b"".join(GAMMA.replace(b"gamma", b"g%d" % number) for number in range(count)) + END

    assert len(read_form(fields(MAX_PARTS), "b").fields) == MAX_PARTS
    with pytest.raises(RestError, match=f"more than {MAX_PARTS} parts"):
        read_form(fields(MAX_PARTS + 1), "b")


TOKENS = [b"--b", b"--", b"\r\n", b"\r\n\r\n", b"Content-Disposition: form-data; name=", b'"file"', b"x", b";", b"\xff", b":"]


@given(st.lists(st.sampled_from(TOKENS)).map(b"".join) | st.binary(), st.just("b") | st.text(min_size=1))
def test_anything_is_read_or_refused(body, boundary) -> None:
    try:
        form = read_form(body, boundary)
    except RestError as error:
        assert error.code in {"AIS.0012", "AIS.0014"}  # noqa: PT017
    else:
        assert form.file is None or form.file in body
