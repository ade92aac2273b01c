"""Every code that this face answers by itself, provoked over HTTP with the real use cases and engines behind it."""

import ast
import base64
import io
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from PIL import Image

from gateway import rest
from gateway.config import GatewaySettings
from gateway.errors import GatewayError, Reason
from gateway.prepare.options import UNTOUCHED
from gateway.rest.app import build_app
from gateway.rest.codes import CODES, OWN
from gateway.rest.iam import Iam
from gateway.rest.refusals import MAX_BODY_BYTES
from gateway.rest.settings import RestSettings
from gateway.server import opened_use_cases

EXAMPLES = Path(__file__).parents[2] / "examples"
DOG = (EXAMPLES / "photos" / "dog.jpg").read_bytes()
MP4 = (EXAMPLES / "music" / "harbour-lights.mp4").read_bytes()
MAX_DOWNLOAD = 200_000

ACCOUNTS = """
[[domains]]
name = "acme"
projects = [{ name = "north", id = "p7" }, { name = "south", id = "p8" }]
users = [
    { name = "ada", password = "hunter2" },
    { name = "gone", password = "hunter2" },
    { name = "frozen", password = "hunter2", quota = { frozen = true } },
    { name = "unsubscribed", password = "hunter2", quota = { subscribed = ["defog"] } },
    { name = "disabled", password = "hunter2", quota = { not_enabled = ["image-tagging"] } },
    { name = "spent", password = "hunter2", quota = { calls_per_month = 0 } },
    { name = "slow", password = "hunter2", quota = { calls_per_second = 0.1 } },
    { name = "bob", access_keys = [{ access_key = "AKBOB", secret_key = "SKBOB" }] },
]
"""

TAGGING, V1, MAIN = "/v2/p7/image/tagging", "/v1.0/image/tagging", "/v3/p7/image/main-object-detection"
DARK, UPSCALING, MUSIC = "/v1.0/vision/dark-enhance", "/v1.0/vision/super-resolution", "/v1.0/bgm/recognition"
SIGNED = "AccessKeyId=AK&Signature=s&Expires"


def picture(width: int, height: int, kind: str = "PNG") -> dict[str, str]:
    """A member `image` that holds a grey picture."""
    file = io.BytesIO()
    Image.new("L", (width, height), 128).save(file, kind)
    return image(file.getvalue())


def image(data: bytes) -> dict[str, str]:
    return {"image": base64.b64encode(data).decode()}


@dataclass(frozen=True)
class Case:
    """A request that gets `code`. `FILES` in its body stands for the address of a server of files; `error` is raised by the
    use cases, in place of their work."""

    code: str
    body: dict[str, object] | bytes = field(default_factory=lambda: image(DOG))
    path: str = TAGGING
    user: str = "ada"
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None


CASES = [
    # Credentials, projects, quotas.
    Case("APIG.0301", user=""),
    Case("APIG.0301", user="", headers={"X-Auth-Token": "forged"}),
    Case("APIG.0301", user="", headers={"Authorization": "SDK-HMAC-SHA256 Access=AKBOB, SignedHeaders=host, Signature=00"}),
    Case("AIS.0002", user="gone"),
    Case("AIS.0026", user="ada of the domain"),
    Case("AIP.0003", path="/v2/p8/image/tagging"),
    Case("AIS.0010", path=V1, user="bob"),
    Case("AIS.0027", user="frozen"),
    Case("AIS.0004", user="unsubscribed"),
    Case("AIS.0007", user="disabled"),
    Case("AIS.0032", user="spent"),
    Case("APIG.0308", user="slow"),
    # The request.
    Case("APIG.0101", path="/v2/p7/image/taggings"),
    Case("APIG.0101", path="/v2/p7/image/celebrity-recognition"),
    Case("APIG.0101", path="/v2/p7/image/recapture-detect"),
    Case("AIS.0013", method="GET"),
    Case("AIS.0013", method="PUT", path=DARK),
    Case("AIS.0014", b"{"),
    Case("AIS.0014", b"--", path=DARK, headers={"Content-Type": "multipart/form-data; boundary=b"}),
    Case("AIS.0014", b"no gzip", headers={"Content-Encoding": "gzip"}),
    Case("AIS.0020", b" " * MAX_BODY_BYTES),
    Case("AIS.0011", {}),
    Case("AIS.0011", image(b""), path=DARK),
    Case("AIS.0011", {"image": "\r\n"}),
    Case("AIS.0012", image(DOG) | {"url": "https://example.org/"}),
    Case("AIS.0015", {"image": "data:image/png;base64,AAAA"}),
    Case("AIS.0501", image(DOG) | {"threshold": 101}),
    Case("AIS.0501", image(DOG) | {"limit": "7"}, path=V1),
    Case("AIS.0203", image(DOG) | {"brightness": 1.1}, path=DARK),
    # The file.
    Case("AIS.0502", picture(64, 64, "GIF")),
    Case("AIS.0503", image(DOG[:20_000])),
    Case("AIS.0503", image(DOG[:20_000]), path=MAIN),
    Case("AIS.0504", picture(14, 14)),
    Case("AIS.0504", picture(4097, 20)),
    Case("AIS.0504", {"image": "A" * 10_485_764}),
    Case("AIS.0504", picture(14, 14), path=DARK),
    Case("AIS.0201", image(DOG[:20_000]), path=DARK),
    Case("AIS.0202", picture(64, 64, "GIF"), path=DARK),
    Case("AIS.0202", picture(64, 64, "WEBP"), path=UPSCALING),
    Case("AIS.0205", picture(4097, 20), path=DARK),
    Case("AIS.0205", picture(4000, 2000), path=UPSCALING),
    # What is downloaded.
    Case("AIS.0022", {"url": "ftp://example.org/"}),
    Case("AIS.0022", {"url": "http://127.0.0.1:1/"}),
    Case("AIS.0023", {"url": "FILES/large"}),
    Case("AIS.0024", {"url": f"FILES/dog?{SIGNED}=1800000000"}),
    Case("AIS.0024", {"url": f"FILES/closed?{SIGNED}=1800000001"}),
    Case("AIS.0025", {"url": "FILES/empty"}),
    Case("AIS.0025", {"url": "FILES/empty"}, path=MUSIC),
    Case("AIS.0029", {"url": "FILES/closed"}),
    Case("AIS.0029", {"url": "FILES/missing"}, path=MUSIC),
    Case("AIS.0021", {"url": "FILES/dog"}, path=MUSIC),
    Case("AIS.0105", {"url": "FILES/half-an-mp4"}, path=MUSIC),
    # The service.
    Case("AIS.0505", error=GatewayError(Reason.UPSTREAM_INTERNAL, "hunter2")),
    Case("AIS.0206", path=DARK, error=GatewayError(Reason.UPSTREAM_INTERNAL, "hunter2")),
    Case("AIS.0506", error=RuntimeError("hunter2")),
    Case("AIS.0003", path=DARK, error=RuntimeError("hunter2")),
]


class Breakable:
    """A use case that works, unless it is told to raise `error`."""

    error: Exception | None = None

    def __init__(self, use_case: Callable[..., Awaitable[object]]) -> None:
        self._use_case = use_case

    async def __call__(self, *asked: object) -> object:
        if Breakable.error is not None:
            raise Breakable.error
        return await self._use_case(*asked)


def now() -> float:
    return 1_800_000_000.0  # 2027-01-15T08:00:00Z


async def issued(iam: Iam, user: str, scope: object) -> str:
    password = {"user": {"name": user, "password": "hunter2", "domain": {"name": "acme"}}}
    token, _ = await iam.sign_in({"auth": {"identity": {"methods": ["password"], "password": password}, "scope": scope}})
    return token


@dataclass(frozen=True)
class Service:
    """The face, with tokens for its users, and a server of files beside it."""

    client: TestClient
    tokens: dict[str, str]
    files: str

    async def send(self, case: Case) -> tuple[int, dict[str, object], Mapping[str, str]]:
        """Status, document and headers of the reply."""
        body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
        body = body.replace(b"FILES", self.files.encode())
        headers = {"Content-Type": "application/json"} | case.headers
        if case.user == "bob":
            headers |= {"X-Sdk-Date": "20270115T080000Z", "Host": "image.example"}
            request = SdkRequest(
                case.method, "http", "image.example", case.path, query_params=[], header_params=headers, body=body
            )
            Signer(BasicCredentials("AKBOB", "SKBOB")).sign(request)
            headers = request.header_params
        elif case.user:
            headers["X-Auth-Token"] = self.tokens[case.user]
        async with self.client.request(case.method, case.path, data=io.BytesIO(body), headers=headers) as response:
            return response.status, await response.json(), response.headers


async def send_file(request: web.Request) -> web.Response:
    files = {"dog": DOG, "empty": b"", "large": b"x" * (MAX_DOWNLOAD + 1), "half-an-mp4": MP4[: len(MP4) // 2], "mp4": MP4}
    name = request.match_info["name"]
    return web.Response(body=files[name]) if name in files else web.Response(status=403 if name == "closed" else 404)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("rest")
    accounts, key = folder / "accounts.toml", folder / "key"
    accounts.write_text(ACCOUNTS, encoding="utf-8")
    key.write_bytes(b"k" * 32)
    settings = RestSettings(accounts_file=accounts, token_key_file=key)
    iam = Iam(settings, now)
    north = {"project": {"name": "north"}}
    users = ["ada", "gone", "frozen", "unsubscribed", "disabled", "spent", "slow"]
    tokens = {user: await issued(iam, user, north) for user in users}
    tokens["ada of the domain"] = await issued(iam, "ada", {"domain": {"name": "acme"}})
    accounts.write_text(re.sub(r".*gone.*\n", "", ACCOUNTS), encoding="utf-8")
    files = web.Application()
    files.router.add_get("/{name}", send_file)
    async with TestServer(files) as server:
        download = {"allow": f"127.0.0.1:{server.port}", "max_bytes": MAX_DOWNLOAD}
        configured = GatewaySettings.model_validate({"local": {"workers": 1}, "download": download})
        async with opened_use_cases(configured, UNTOUCHED) as real:
            breakable = real._replace(
                tag_image=Breakable(real.tag_image),
                enhance_image=Breakable(real.enhance_image),
                recognize_music=Breakable(real.recognize_music),
            )
            async with TestClient(TestServer(build_app(settings, breakable, now))) as client:
                yield Service(client, tokens, str(server.make_url("")).rstrip("/"))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.user} {case.method} {case.path}")
async def test_a_code(service, case, monkeypatch) -> None:
    monkeypatch.setattr(Breakable, "error", case.error)
    if case.user == "slow":
        await service.send(case)
    status, document, headers = await service.send(case)
    assert (status, document.get("error_code")) == (CODES[case.code].status, case.code), document
    assert document.keys() == {"error_code", "error_msg"}
    assert document["error_msg"].startswith(CODES[case.code].message)
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-Id"])
    assert headers.get("Retry-After") == ("10" if case.code == "APIG.0308" else None)
    # Nothing of what was sent as a secret, and nothing of what went wrong inside.
    assert not re.search(r"hunter2|AK|127\.0", document["error_msg"])


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "case",
    [
        Case(""),
        Case("", path=V1),
        Case("", {"url": f"FILES/dog?{SIGNED}=1800000001"}),
        Case("", path=DARK),
        Case("", picture(40, 30), path=UPSCALING),
        Case("", {"url": "FILES/mp4"}, path=MUSIC),
        Case("", path="/v2/p7/image/media-tagging"),
        Case("", path="/v2/p7/image/media-tagging-det"),
        Case("", path=MAIN),
        Case("", user="bob"),
    ],
    ids=lambda case: f"{case.user} {case.path}",
)
async def test_what_is_right_gets_no_code(service, case) -> None:
    status, document, headers = await service.send(case)
    assert (status, list(document)) == (200, ["result"])
    assert document["result"]
    assert re.fullmatch(r"[0-9a-f]{32}", headers["X-Request-Id"])


def test_every_code_is_provoked() -> None:
    assert {case.code for case in CASES} == OWN


def test_no_code_beyond_these_is_written_anywhere() -> None:
    """What only faults on purpose and replays bring stands in `codes.py` alone."""
    written = set()
    for file in Path(rest.__file__).parent.glob("*.py"):
        if file.name != "codes.py" and not file.name.startswith(("fault", "record")):
            constants = (node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant))
            written |= {text for text in constants if isinstance(text, str) and re.fullmatch(r"[A-Za-z]+\.\d{4}", text)}
    assert written == OWN
    assert CODES.keys() > OWN
