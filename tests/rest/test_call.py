import json

import pytest

from gateway.media import ImageContent, ImageUri
from gateway.rest.call import Call, is_form, read_call
from gateway.rest.errors import RestError
from gateway.rest.operations import OPERATIONS

BY_NAME = {operation.name: operation for operation in OPERATIONS}
FORM = "multipart/form-data"
BOUNDARY = {"Content-Type": "multipart/form-data; boundary=b"}
FILE = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\npicture\r\n'
GAMMA = b'--b\r\nContent-Disposition: form-data; name="gamma"\r\n\r\n%s\r\n'
END = b"--b--"


def read(name: str, body: object, content_type: str = "application/json", headers=BOUNDARY) -> Call:
    return read_call(BY_NAME[name], content_type, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream", "multipart/form-data"])
def test_json_is_read_whatever_its_content_type_says(content_type) -> None:
    call = read("image-tagging", {"url": "https://example.org/"}, content_type)
    assert call == Call(ImageUri("https://example.org/"), {"language": "zh", "threshold": 60, "limit": 50}, is_form=False)


def test_a_form() -> None:
    call = read("defog", FILE + GAMMA % b"2.5" + END, FORM)
    assert call == Call(ImageContent(b"picture"), {"gamma": 2.5, "natural_look": True}, is_form=True)


def test_json_for_what_takes_forms() -> None:
    call = read("defog", {"image": "AAAA", "gamma": 2.5, "natural_look": False})
    assert call == Call(ImageContent(b"\0\0\0"), {"gamma": 2.5, "natural_look": False}, is_form=False)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_forms_are_for_enhancement(operation) -> None:
    assert is_form(operation, FORM) == operation.path.startswith("/v1.0/vision/")
    assert not is_form(operation, "application/json")


@pytest.mark.parametrize("header", [FORM, f"{FORM}; boundary=", f"{FORM}; boundary*=x'y'z"])
def test_a_form_without_a_boundary(header) -> None:
    with pytest.raises(RestError, match="boundary") as caught:
        read("defog", FILE + END, FORM, {"Content-Type": header})
    assert caught.value.code == "AIS.0014"


@pytest.mark.parametrize("header", [f"{FORM}; boundary=\udcff", f'{FORM}; boundary="a b', "x; boundary=b;;="])
def test_an_odd_boundary_does_no_harm(header) -> None:
    try:
        assert read("defog", FILE + END, FORM, {"Content-Type": header}).source == ImageContent(b"picture")
    except RestError as error:
        assert error.code == "AIS.0014"  # noqa: PT017


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("image-tagging", {"url": "https://example.org/", "limit": "5"}, "AIS.0501"),
        ("main-object-detection", {"url": 7}, "AIS.0501"),
        ("defog", {"image": "AAAA", "gamma": "2.5"}, "AIS.0203"),
        ("bgm-recognition", {"url": 7}, "AIS.0012"),
    ],
)
def test_a_parameter_s_code_is_its_family_s(name, body, code) -> None:
    with pytest.raises(RestError) as caught:
        read(name, body)
    assert caught.value.code == code


def test_a_form_s_parameter() -> None:
    with pytest.raises(RestError, match=r"gamma is 11.0; it must be a number from 0.1 to 10") as caught:
        read("defog", FILE + GAMMA % b"11" + END, FORM)
    assert caught.value.code == "AIS.0203"
