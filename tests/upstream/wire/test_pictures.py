import base64
import json

import pytest
from multidict import CIMultiDict

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts
from gateway.upstream.reply import HttpReply
from gateway.upstream.results import Picture
from gateway.upstream.wire.pictures import read_picture

PNG = _native.encode(bytes(30 * 20 * 3), 30, 20, format="png")
FACTS = ImageFacts(format="png", width=30, height=20, orientation=1, size_bytes=len(PNG))


def read(content: bytes) -> Picture:
    return read_picture(HttpReply(200, CIMultiDict(), content))


def in_json(result: object) -> bytes:
    return json.dumps({"result": result}).encode()


@pytest.mark.parametrize(
    "content", [PNG, in_json(base64.b64encode(PNG).decode()), b"\n " + in_json(base64.b64encode(PNG).decode())]
)
def test_a_picture_comes_as_a_file_or_in_json(content) -> None:
    picture = read(content)
    assert picture == (PNG, FACTS)
    assert picture.data is content or content is not PNG  # a file is not copied


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        PNG[:12],
        b"GIF89a" + bytes(40),
        in_json(None),
        in_json(""),
        in_json(7),
        in_json({"image": base64.b64encode(PNG).decode()}),
        in_json("树"),
        in_json("\ud800"),
        in_json("=" + base64.b64encode(PNG).decode()),
        in_json(base64.b64encode(PNG).decode()[:-1]),
        in_json("!" + base64.b64encode(PNG).decode()),
        in_json(base64.b64encode(b"no picture").decode()),
        in_json(base64.b64encode(PNG).decode())[:-5],
        b'{"results": ""}',
    ],
)
def test_anything_else_is_a_bad_response(content) -> None:
    with pytest.raises(GatewayError) as caught:
        read(content)
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE
