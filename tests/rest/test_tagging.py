import base64
import json

import pytest

from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageUri, Language, LocalizedText, Tag, TaggingParameters
from gateway.rest.errors import RestError
from gateway.rest.tagging import read_request, write_result

DATA = bytes(range(256))
IMAGE = base64.b64encode(DATA).decode()
URL = "https://example.org/cat.jpg"


def read(**members: object):
    return read_request(json.dumps(members).encode())


@pytest.mark.parametrize(
    ("members", "source"),
    [
        ({"image": IMAGE}, ImageContent(DATA)),
        ({"image": IMAGE, "url": ""}, ImageContent(DATA)),
        ({"image": IMAGE, "url": None}, ImageContent(DATA)),
        ({"image": "\r\n".join([IMAGE[:76], IMAGE[76:], ""])}, ImageContent(DATA)),
        ({"url": URL}, ImageUri(URL)),
        ({"url": URL, "image": ""}, ImageUri(URL)),
    ],
)
def test_the_source_is_the_one_that_is_not_empty(members, source) -> None:
    assert read(**members) == (source, TaggingParameters())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"language": "en"}, TaggingParameters(language=Language.EN)),
        ({"language": ""}, TaggingParameters()),
        ({"language": None, "threshold": None, "limit": None}, TaggingParameters()),
        ({"threshold": 0}, TaggingParameters(threshold=0.0)),
        ({"threshold": 100.0}, TaggingParameters(threshold=100.0)),
        ({"threshold": -0.0}, TaggingParameters(threshold=0.0)),
        ({"limit": 1}, TaggingParameters(limit=1)),
        ({"limit": 150}, TaggingParameters(limit=150)),
        ({"unknown": 7}, TaggingParameters()),
    ],
)
def test_parameters(given, expected) -> None:
    assert read(url=URL, **given)[1] == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "AIS.0014"),
        (b"{", "AIS.0014"),
        (b"\xff", "AIS.0014"),
        (b"[" * 100_000, "AIS.0014"),
        (b"[]", "AIS.0014"),
        (b'"text"', "AIS.0014"),
        (b"{}", "AIS.0011"),
        (b'{"image": "", "url": ""}', "AIS.0011"),
        (b'{"image": null}', "AIS.0011"),
        (b'{"image": "AAAA", "url": "https://example.org/"}', "AIS.0012"),
        (b'{"image": 7}', "AIS.0501"),
        (b'{"url": ["https://example.org/"]}', "AIS.0501"),
        (b'{"image": "A"}', "AIS.0015"),
        (b'{"image": "AAA"}', "AIS.0015"),
        (b'{"image": "AA==AA"}', "AIS.0015"),
        (b'{"image": "AA-_"}', "AIS.0015"),
        (b'{"image": "AA A"}', "AIS.0015"),
        ('{"image": "猫"}'.encode(), "AIS.0015"),
        (b'{"image": "data:image/png;base64,AAAA"}', "AIS.0015"),
    ],
)
def test_what_cannot_be_read_has_its_code(body, code) -> None:
    with pytest.raises(RestError) as caught:
        read_request(body)
    assert (caught.value.code, caught.value.status) == (code, 400)


@pytest.mark.parametrize(
    "given",
    [
        {"language": "fr"},
        {"language": "EN"},
        {"language": 7},
        {"threshold": "60"},
        {"threshold": True},
        {"threshold": float("nan")},
        {"threshold": float("inf")},
        {"threshold": 10**400},
        {"threshold": [60]},
        {"limit": "5"},
        {"limit": 5.0},
        {"limit": True},
    ],
)
def test_a_parameter_of_the_wrong_kind(given) -> None:
    with pytest.raises(RestError, match=next(iter(given))) as caught:
        read(url=URL, **given)
    assert caught.value.code == "AIS.0501"


@pytest.mark.parametrize(
    "given",
    [{"threshold": -0.1}, {"threshold": 100.1}, {"limit": 0}, {"limit": 151}, {"limit": 10**400}],
)
def test_a_parameter_out_of_range(given) -> None:
    with pytest.raises(GatewayError, match=next(iter(given))) as caught:
        read(url=URL, **given)
    assert caught.value.reason is Reason.INVALID_ARGUMENT


@pytest.mark.parametrize("url", ["ftp://example.org/", "cat.jpg", "https://u:p@example.org/"])
def test_a_url_that_cannot_be_used(url) -> None:
    with pytest.raises(GatewayError) as caught:
        read(url=url)
    assert caught.value.reason is Reason.URI_INVALID


def test_a_tag_on_the_wire(cat) -> None:
    assert write_result((cat,)) == {
        "result": {
            "tags": [
                {
                    "confidence": "91.46",
                    "type": "object",
                    "tag": "cat",
                    "i18n_tag": {"zh": "猫", "en": "cat"},
                    "i18n_type": {"zh": "物体", "en": "object"},
                    "instances": [
                        {
                            "bounding_box": {"width": 30.0, "height": 40.25, "top_left_x": 1.5, "top_left_y": 2.0},
                            "confidence": "88.00",
                        }
                    ],
                }
            ]
        }
    }


def test_what_is_not_known_is_empty_not_absent() -> None:
    (tag,) = write_result((Tag("cat", 100.0, "", LocalizedText()),))["result"]["tags"]
    assert (tag["confidence"], tag["i18n_type"], tag["instances"]) == ("100.00", {"zh": "", "en": ""}, [])
    assert write_result(()) == {"result": {"tags": []}}
