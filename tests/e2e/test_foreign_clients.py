"""The REST face under clients that nobody here wrote: the vendor's SDK, and plain HTTP."""

import base64
import json
import urllib.error
import urllib.request

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkimage.v2 import ImageClient, ImageTaggingReq, RunImageTaggingRequest

from gateway.rest.settings import RestSettings

from .conftest import SECRETS

Box = tuple[float, ...]
"""Left, top, width, height."""

PROJECT_ID = RestSettings().project_id


def post(url: str, body: object, **headers: str) -> tuple[int, dict[str, str], dict]:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json", **headers})  # noqa: S310  # loopback
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310  # as above
        return reply.status, dict(reply.headers), json.load(reply)


def sdk_client(address: str, secret_key: str = SECRETS["secret_key"]) -> ImageClient:
    credentials = BasicCredentials(SECRETS["access_key"], secret_key, PROJECT_ID)
    return ImageClient.new_builder().with_credentials(credentials).with_endpoint(f"http://{address}").build()


def sdk_tags(client: ImageClient, **fields: object) -> list[tuple[str, str, list[Box]]]:
    request = RunImageTaggingRequest(body=ImageTaggingReq(**fields))
    return [
        (tag.tag, tag.confidence, [box(each.bounding_box.to_dict()) for each in tag.instances])
        for tag in client.run_image_tagging(request).result.tags
    ]


def box(location: dict[str, float]) -> Box:
    return tuple(round(location[side], 2) for side in ("top_left_x", "top_left_y", "width", "height"))


def test_the_sdk_and_plain_http_get_the_tags_that_the_gateway_gives(rest_face, tagged, photos) -> None:
    picture = photos / "dog.jpg"
    image = base64.b64encode(picture.read_bytes()).decode()
    from_sdk = sdk_tags(sdk_client(rest_face.address), image=image, language="en", threshold=50.0, limit=20)

    user = {"name": "someone", "password": SECRETS["password"], "domain": {"name": "account"}}
    sign_in = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "cn-east-3"}},
        }
    }
    base = f"http://{rest_face.address}"
    status, headers, body = post(f"{base}/v3/auth/tokens", sign_in)
    assert status == 201
    assert body["token"]["project"]["id"] == PROJECT_ID
    _, _, answer = post(
        f"{base}/v2/{PROJECT_ID}/image/tagging",
        {"image": image, "url": "", "language": "en", "threshold": 50.0, "limit": 20},
        **{"X-Auth-Token": headers["X-Subject-Token"]},
    )
    from_http = [
        (tag["tag"], tag["confidence"], [box(each["bounding_box"]) for each in tag["instances"]])
        for tag in answer["result"]["tags"]
    ]

    (computed,) = tagged(str(picture), "--threshold", "50", "--limit", "20")
    expected = [
        (
            tag["tag"],
            f"{tag['confidence']:.2f}",
            [(each["left"], each["top"], each["width"], each["height"]) for each in tag["boxes"]],
        )
        for tag in computed["tags"]
    ]
    (boxes,) = (boxes for name, _, boxes in expected if name == "dog")
    assert len(boxes) == 1
    assert from_sdk == from_http == expected


def test_the_sdk_reads_our_errors(rest_face) -> None:
    with pytest.raises(ClientRequestException) as caught:
        sdk_tags(sdk_client(rest_face.address), image=base64.b64encode(b"GIF89a.....").decode())
    assert caught.value.status_code == 400
    assert caught.value.error_code == "AIS.0502"
    assert "GIF" in caught.value.error_msg
    assert caught.value.request_id


def test_a_wrong_key_is_refused(rest_face) -> None:
    with pytest.raises(ClientRequestException) as caught:
        sdk_tags(sdk_client(rest_face.address, "wrong"), image="x")
    assert (caught.value.status_code, caught.value.error_code) == (401, "APIG.0301")
