"""The REST face under plain HTTP clients: requests, aiohttp, curl, and requests of the shapes of the vendor's samples."""

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from PIL import Image

from gateway.rest.settings import RestSettings

from .conftest import EXAMPLES, SECRETS

PROJECT_ID = RestSettings().project_id
TAGGING = f"/v2/{PROJECT_ID}/image/tagging"
TAGGING_V1 = "/v1.0/image/tagging"

Call = Callable[..., requests.Response]


@pytest.fixture
def call(rest_face, token) -> Call:
    """POST with `requests` and a token; what is given besides the path goes to `requests`."""

    def post(path: str, **given: Any) -> requests.Response:
        return requests.post(f"http://{rest_face.address}{path}", headers={"X-Auth-Token": token}, timeout=60, **given)

    return post


@pytest.fixture(scope="module")
def dog_image(photos) -> str:
    return base64.b64encode((photos / "dog.jpg").read_bytes()).decode()


@pytest.fixture(scope="module")
def small(photos) -> dict[str, bytes]:
    """A picture of 120 × 80 px in every format that is taken."""
    files = {}
    with Image.open(photos / "dog.jpg") as opened:
        picture = opened.resize((120, 80))
    for kind in ("JPEG", "PNG", "BMP", "WEBP"):
        file = io.BytesIO()
        picture.save(file, kind)
        files[kind] = file.getvalue()
    return files


def tags_of(response: requests.Response) -> set[str]:
    assert response.status_code == 200, response.text
    return {tag["tag"] for tag in response.json()["result"]["tags"]}


def opened(data: bytes) -> tuple[str, tuple[int, int]]:
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return picture.format, picture.size


def refused(response: requests.Response) -> tuple[int, str]:
    assert response.headers["X-Request-Id"]
    assert set(response.json()) == {"error_code", "error_msg"}
    return response.status_code, response.json()["error_code"]


def test_tagging_in_both_versions(call, dog_image, file_server) -> None:
    assert "狗" in tags_of(call(TAGGING, json={"image": dog_image}))
    assert "dog" in tags_of(call(TAGGING, json={"image": "", "url": f"http://{file_server}/photos/dog.jpg", "language": "en"}))
    historical = call(TAGGING_V1, json={"image": dog_image, "language": "en", "threshold": -1}).json()["result"]["tags"]
    assert "dog" in {tag["tag"] for tag in historical}
    assert all(isinstance(tag["confidence"], float | int) for tag in historical)


ENHANCEMENTS = [
    ("/v1.0/vision/dark-enhance", {"brightness": 0.5}, 1),
    ("/v1.0/vision/defog", {"gamma": 1.2, "natural_look": False}, 1),
    ("/v1.0/vision/super-resolution", {"scale": 3, "model": "ESPCN"}, 3),
    ("/v1.0/vision/super-resolution", {"scale": 4, "model": "SRCNN"}, 4),
]


@pytest.mark.parametrize(("path", "parameters", "scale"), ENHANCEMENTS)
@pytest.mark.parametrize(("kind", "written"), [("JPEG", "JPEG"), ("WEBP", "JPEG"), ("PNG", "PNG"), ("BMP", "PNG")])
def test_enhancements(call, small, path, parameters, scale, kind, written) -> None:
    image = base64.b64encode(small[kind]).decode()
    in_json = call(path, json={"image": image} | parameters)
    as_form = call(path, files={"file": (f"picture.{kind}", small[kind])}, data=parameters)
    if kind == "WEBP" and scale > 1:  # the contract takes none there
        assert refused(in_json) == refused(as_form) == (400, "AIS.0202")
        return
    assert in_json.status_code == 200, in_json.text
    data = base64.b64decode(in_json.json()["result"], validate=True)
    assert opened(data) == (written, (120 * scale, 80 * scale))
    assert data != small[kind]
    # A form is answered with the file itself, the same one.
    assert as_form.headers["Content-Type"] == f"image/{written.lower()}"
    assert as_form.content == data


def test_parameters_count(call, small) -> None:
    image = base64.b64encode(small["PNG"]).decode()
    for path, name, values in [
        ("/v1.0/vision/dark-enhance", "brightness", (0.1, 1.0)),
        ("/v1.0/vision/defog", "gamma", (0.5, 2.5)),
        ("/v1.0/vision/super-resolution", "model", ("ESPCN", "SRCNN")),
    ]:
        results = {call(path, json={"image": image, name: value}).json()["result"] for value in values}
        assert len(results) == 2, path


def test_a_picture_that_would_become_too_large(call) -> None:
    file = io.BytesIO()
    Image.new("RGB", (3000, 3000)).save(file, "PNG")
    response = call("/v1.0/vision/super-resolution", files={"file": file.getvalue()})
    assert refused(response) == (400, "AIS.0205")
    assert "7111111 pixels" in response.json()["error_msg"]


def test_background_music(call, file_server) -> None:
    path = "/v1.0/bgm/recognition"
    response = call(path, json={"url": f"http://{file_server}/music/harbour-lights.mp4"})
    assert response.status_code == 200, response.text
    assert "harbour" in response.json()["result"]["audio_name"].lower()
    assert refused(call(path, json={"url": f"http://{file_server}/photos/dog.jpg"})) == (400, "AIS.0021")
    assert refused(call(path, json={"url": f"http://{file_server}/music/none.mp4"})) == (400, "AIS.0029")
    assert refused(call(path, json={"url": "http://127.0.0.1:1/of-this-machine.mp4"})) == (400, "AIS.0022")


def test_other_versions(call, dog_image) -> None:
    body = {"image": dog_image, "language": "en"}
    assert "dog" in tags_of(call(f"/v2/{PROJECT_ID}/image/media-tagging", json=body))
    assert "dog" in tags_of(call(f"/v2/{PROJECT_ID}/image/media-tagging-det", json=body))
    objects = call(f"/v3/{PROJECT_ID}/image/main-object-detection", json={"image": dog_image}).json()["result"]
    assert objects[0]["label"] == "main_object_box"


async def test_aiohttp(rest_face, dog_image, small, file_server) -> None:
    user = {"name": "someone", "password": SECRETS["password"], "domain": {"name": "account"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    async with aiohttp.ClientSession(f"http://{rest_face.address}") as session:
        scoped = {"auth": {"identity": identity, "scope": {"project": {"name": "cn-east-3"}}}}
        async with session.post("/v3/auth/tokens", json=scoped) as response:
            session.headers["X-Auth-Token"] = response.headers["X-Subject-Token"]
        async with session.get("/v3/projects", params={"name": "cn-east-3"}) as response:
            (project,) = (await response.json())["projects"]
        async with session.post(f"/v2/{project['id']}/image/tagging", json={"image": dog_image, "language": "en"}) as response:
            assert "dog" in {tag["tag"] for tag in (await response.json())["result"]["tags"]}
        async with session.post(TAGGING_V1, json={"image": dog_image, "language": "en"}) as response:
            assert "dog" in {tag["tag"] for tag in (await response.json())["result"]["tags"]}
        for path, parameters, scale in ENHANCEMENTS:
            form = aiohttp.FormData({name: str(value) for name, value in parameters.items()})
            form.add_field("file", small["PNG"], filename="picture.png", content_type="image/png")
            async with session.post(path, data=form) as response:
                assert opened(await response.read()) == ("PNG", (120 * scale, 80 * scale))
        async with session.post(
            "/v1.0/bgm/recognition", json={"url": f"http://{file_server}/music/harbour-lights.mp4"}
        ) as response:
            assert "harbour" in (await response.json())["result"]["audio_name"].lower()


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def curl(*arguments: str) -> bytes:
    command = ["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "60", *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@needs_curl
@pytest.mark.parametrize(("path", "parameters", "scale"), ENHANCEMENTS)
def test_curl_uploads_a_form(rest_face, token, small, tmp_path, path, parameters, scale) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(small["PNG"])
    fields = [argument for name, value in parameters.items() for argument in ("-F", f"{name}={value}")]
    url = f"http://{rest_face.address}{path}"
    written = curl("-H", f"X-Auth-Token: {token}", "-F", f"file=@{picture}", *fields, url)
    assert opened(written) == ("PNG", (120 * scale, 80 * scale))


def test_every_picture_that_the_openapi_document_shows_is_worked_on(rest_face, call) -> None:
    document = requests.get(f"http://{rest_face.address}/openapi.json", timeout=30).json()
    bodies = {
        path: item["post"]["requestBody"]["content"]["application/json"]
        for path, item in document["paths"].items()
        if "post" in item
    }
    shown = {path: body["examples"]["image"]["value"] for path, body in bodies.items() if "image" in body["examples"]}
    assert len(shown) == 8
    for path, example in shown.items():
        response = call(path.format(project_id=PROJECT_ID), json=example)
        assert response.status_code == 200, (path, response.text)


class TestDocumentation:
    """The examples of docs/rest.md, as they stand there but for address and secrets."""

    @pytest.fixture
    def example(self, rest_face, tmp_path) -> Callable[[str], str]:
        (tmp_path / "examples").symlink_to(EXAMPLES)
        page = (EXAMPLES.parent / "docs" / "rest.md").read_text(encoding="utf-8")
        own = {
            "127.0.0.1:8600": rest_face.address,
            "choose-one": SECRETS["password"],
            "choose-another": SECRETS["secret_key"],
            "AKEXAMPLE": SECRETS["access_key"],
        }
        for shown, real in own.items():
            page = page.replace(shown, real)

        def run(language: str, *command: str) -> str:
            (code,) = re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
            done = subprocess.run([*command, code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
            assert done.returncode == 0, done.stderr
            return done.stdout

        return run

    @needs_curl
    def test_curl(self, example, tmp_path) -> None:
        assert "cat" in {tag["tag"] for tag in json.loads(example("sh", "bash", "-euc"))["result"]["tags"]}
        assert opened((tmp_path / "larger.png").read_bytes()) == ("PNG", (1353, 900))

    def test_python(self, example) -> None:
        assert "('cat', '" in example("python", sys.executable, "-c")


class TestSamples:
    """What the vendor's samples send, to the byte where that could matter."""

    def test_python(self, rest_face, token, photos) -> None:
        url = f"http://{rest_face.address}{TAGGING}"
        headers = {"Content-Type": "application/json", "X-Auth-Token": token}
        with (photos / "dog.jpg").open("rb") as bin_data:
            image_data = bin_data.read()
        image_base64 = base64.b64encode(image_data).decode("utf-8")
        data = {"image": image_base64}
        response = requests.post(url, headers=headers, json=data, verify=False)  # noqa: S113, S501  # as it stands there
        assert "狗" in tags_of(response)

    def test_php(self, rest_face, token, photos, tmp_path) -> None:
        """Base64 broken into lines, slashes escaped, no space after the header's colon, and libcurl's pause before the body."""
        encoded = base64.b64encode((photos / "dog.jpg").read_bytes()).decode()
        lines = "".join(encoded[at : at + 76] + "\r\n" for at in range(0, len(encoded), 76))  # chunk_split
        body = tmp_path / "body.json"
        body.write_text(json.dumps({"image": lines}, separators=(",", ":")).replace("/", "\\/"), encoding="ascii")
        headers = ["-H", "Content-Type:application/json", "-H", f"X-Auth-Token:{token}", "-H", "Expect: 100-continue"]
        written = curl(*headers, "-X", "POST", "-d", f"@{body}", f"http://{rest_face.address}{TAGGING}")
        assert "狗" in {tag["tag"] for tag in json.loads(written)["result"]["tags"]}

    def test_java_with_a_token(self, rest_face, token, dog_image) -> None:
        """A compact document, and a content type with its parameter."""
        headers = {"X-Auth-Token": token, "Content-Type": "application/json; charset=UTF-8"}
        body = ('{"image":"' + dog_image + '"}').encode()
        assert "狗" in tags_of(requests.post(f"http://{rest_face.address}{TAGGING}", data=body, headers=headers, timeout=60))

    @pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=UTF-8"])
    def test_java_with_a_key(self, rest_face, dog_image, content_type) -> None:
        """Version 1, signed: its path names no project, and neither does a header."""
        body = ('{"image":"' + dog_image + '","threshold":60}').encode()
        headers = {"Content-Type": content_type}
        request = SdkRequest("POST", "http", rest_face.address, TAGGING_V1, query_params=[], header_params=headers, body=body)
        Signer(BasicCredentials(SECRETS["access_key"], SECRETS["secret_key"])).sign(request)
        url = f"http://{rest_face.address}{request.uri}"
        response = requests.post(url, data=body, headers=request.header_params, timeout=60)
        tags = response.json()["result"]["tags"]
        assert "狗" in {tag["tag"] for tag in tags}
        assert all(tag["confidence"] >= 60 for tag in tags)

    def test_headers_are_spelt_as_one_likes(self, rest_face, token) -> None:
        for name in ("X-Auth-Token", "x-auth-token", "X-AUTH-TOKEN"):
            reply = requests.get(f"http://{rest_face.address}/v3/projects", headers={name: token}, timeout=30)
            assert [project["id"] for project in reply.json()["projects"]] == [PROJECT_ID]
