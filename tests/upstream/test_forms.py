import base64
import email.policy
import json
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from gateway.upstream.forms import Body, content_body, form_body, url_body

PICTURE = b"\xff\xd8\r\n--\x00\r\n"


def parts(body: Body) -> dict[str, EmailMessage]:
    """The parts of a form, read by another implementation."""
    head = f"Content-Type: {body.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + body.content)
    assert not message.defects
    return {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}


def test_content_as_json() -> None:
    body = content_body(PICTURE, {"language": "en", "threshold": 60.0, "natural_look": True})
    assert body.content_type == "application/json"
    assert json.loads(body.content) == {
        "image": base64.b64encode(PICTURE).decode(),
        "language": "en",
        "threshold": 60.0,
        "natural_look": True,
    }


def test_content_without_parameters() -> None:
    assert json.loads(content_body(PICTURE, {}).content) == {"image": base64.b64encode(PICTURE).decode()}


def test_a_url_as_json() -> None:
    body = url_body("https://example.com/树.jpg?a=b", {"limit": 1})
    assert body.content_type == "application/json"
    assert json.loads(body.content) == {"url": "https://example.com/树.jpg?a=b", "limit": 1}


def test_a_form() -> None:
    body = form_body(PICTURE, "image/jpeg", {"gamma": 1.5, "natural_look": False, "scale": 3, "model": "ESPCN"}, "b" * 70)
    found = parts(body)
    assert {name: part.get_content() for name, part in found.items() if name != "file"} == {
        "gamma": "1.5",
        "natural_look": "false",
        "scale": "3",
        "model": "ESPCN",
    }
    file = found["file"]
    assert (file.get_content(), file.get_content_type(), file.get_filename()) == (PICTURE, "image/jpeg", "file")


def test_a_form_byte_for_byte() -> None:
    body = form_body(b"DATA", "image/png", {"scale": 4}, "xyz")
    assert body.content_type == "multipart/form-data; boundary=xyz"
    assert body.content == (
        b'--xyz\r\nContent-Disposition: form-data; name="scale"\r\n\r\n4\r\n'
        b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="file"\r\nContent-Type: image/png\r\n\r\nDATA\r\n'
        b"--xyz--\r\n"
    )


@pytest.mark.parametrize("body", [content_body(b"hunter2", {}), url_body("https://h/hunter2", {})])
def test_a_body_is_not_shown(body) -> None:
    assert repr(body) == "Body(content_type='application/json')"
