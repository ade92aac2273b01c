"""Access over HTTP, before an operation that tells what it was let in as. Requests are signed by the vendor's SDK."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest

from gateway.rest.access import Access
from gateway.rest.errors import RestError
from gateway.rest.iam import Iam
from gateway.rest.settings import RestConfigError, RestSettings

ACCOUNTS = """
[[domains]]
name = "acme"
id = "d1"
[[domains.projects]]
name = "north"
id = "p1"
[[domains.projects]]
name = "south"
id = "p2"
quota = { calls_per_month = 2 }
[[domains.projects]]
name = "closed"
id = "p3"
enabled = false

[[domains.users]]
name = "bob"
id = "u1"
password = "planted"
access_keys = [
    { access_key = "AKBOB", secret_key = "SK1" },
    { access_key = "AKONE", secret_key = "SK1", projects = ["north", "closed"] },
    { access_key = "AKOFF", secret_key = "SK1", enabled = false },
    { access_key = "AKTMP", secret_key = "SK1", security_token = "st", expires_at = 2027-01-15T09:00:00Z },
]

[[domains.users]]
name = "eve"
id = "u2"
password = "planted"
projects = ["north"]
access_keys = [{ access_key = "AKEVE", secret_key = "SK2" }]
quota = { calls_per_second = 1, calls_at_once = 1, subscribed = ["tagging", "defog"], not_enabled = ["defog"] }

[[domains.users]]
name = "ann"
projects = ["north"]
access_keys = [{ access_key = "AKANN", secret_key = "SK3" }]
quota = { frozen = true }

[[domains.users]]
name = "tom"
enabled = false
access_keys = [{ access_key = "AKTOM", secret_key = "SK4" }]
"""

V2, V1 = "/v2/p1/image/tagging", "/v1.0/image/tagging"


@pytest.fixture
def settings(tmp_path) -> RestSettings:
    file = tmp_path / "accounts.toml"
    file.write_text(ACCOUNTS, encoding="utf-8")
    return RestSettings(accounts_file=file)


@pytest.fixture
def iam(settings, clock) -> Iam:
    return Iam(settings, clock)


@web.middleware
async def answer_refusals(request: web.Request, handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RestError as error:
        return error.response()


class Operations:
    """An application with the operation `tagging` under two paths, and `defog` and `dark` beside it."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.fails = False
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[answer_refusals], client_max_size=1 << 20)
        app.router.add_post("/v2/{project_id}/image/tagging", self.call)
        app.router.add_post("/v1.0/image/{operation}", self.call)
        app.router.add_get("/v3/projects", self.look_up)
        return app

    async def call(self, request: web.Request) -> web.Response:
        async with self.access.admit(request, request.match_info.get("operation", "tagging")) as caller:
            body = await request.read()
            self.entered.set()
            await self.go_on.wait()
            if self.fails:
                raise RestError("AIS.0503")
            return web.json_response([caller.user.name, caller.project.id, caller.body_signed, len(body)])

    async def look_up(self, request: web.Request) -> web.Response:
        caller = await self.access.caller(request)
        return web.json_response([project.id for project in caller.projects])


@pytest.fixture
def operations(settings, iam, clock) -> Operations:
    return Operations(Access(settings, iam, clock, operations=["tagging", "defog", "dark"]))


@pytest.fixture
async def client(operations) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(operations.app())) as opened:
        yield opened


async def answer(client: TestClient, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, object]:
    """Status, and the code of a failure or what a success tells."""
    async with client.request(method, path, headers=headers, data=body) as response:
        document = await response.json()
        return response.status, document["error_code"] if isinstance(document, dict) else document


class Signing:
    """The vendor's SDK with a key; what it signs is sent as often as asked."""

    def __init__(self, clock, key: str, sk: str = "SK1", *, project: str | None = None, credentials=BasicCredentials) -> None:
        self.clock = clock
        self.credentials = credentials(key, sk, project)
        self.extra = {"Content-Type": "application/json"}

    def headers(self, method: str = "POST", path: str = V2, body: bytes = b"{}", **extra: str) -> dict[str, str]:
        date = datetime.fromtimestamp(self.clock.now, UTC).strftime("%Y%m%dT%H%M%SZ")
        named = {name.replace("_", "-"): value for name, value in extra.items()}
        request = SdkRequest(
            method=method,
            schema="http",
            host="image.example",
            resource_path=path,
            query_params=[],
            header_params={"X-Sdk-Date": date, **self.extra, **named},
            body=body,
        )
        return self.credentials.sign_request(request).header_params

    async def call(self, client: TestClient, path: str = V2, body: bytes = b"{}", **extra: str) -> tuple[int, object]:
        return await answer(client, "POST", path, self.headers(path=path, body=body, **extra), body)


async def token(iam: Iam, user: str, scope: object) -> dict[str, str]:
    identity = {"methods": ["password"], "password": {"user": {"id": user, "password": "planted"}}}
    issued, _ = await iam.sign_in({"auth": {"identity": identity, "scope": scope}})
    return {"X-Auth-Token": issued}


NORTH = {"project": {"id": "p1"}}
DOMAIN = {"domain": {"id": "d1"}}


async def test_a_token_is_for_its_project(client, iam) -> None:
    headers = await token(iam, "u1", NORTH)
    assert await answer(client, "POST", V2, headers, b"abc") == (200, ["bob", "p1", False, 3])
    assert await answer(client, "POST", V1, headers) == (200, ["bob", "p1", False, 0])
    assert await answer(client, "POST", "/v2/p2/image/tagging", headers) == (401, "AIP.0003")
    assert await answer(client, "POST", V2, headers | {"X-Project-Id": "p1"}) == (200, ["bob", "p1", False, 0])
    assert await answer(client, "POST", V1, headers | {"X-Project-Id": "p2"}) == (401, "AIP.0003")


async def test_a_token_of_the_domain_is_for_look_ups_only(client, iam) -> None:
    headers = await token(iam, "u1", DOMAIN)
    assert await answer(client, "POST", V2, headers) == (400, "AIS.0026")
    assert await answer(client, "POST", V1, headers) == (400, "AIS.0026")
    assert await answer(client, "GET", "/v3/projects", headers) == (200, ["p1", "p2", "p3"])


@pytest.mark.parametrize("headers", [{}, {"X-Auth-Token": ""}, {"X-Auth-Token": "x.y"}, {"Authorization": "Bearer x"}])
async def test_without_credentials_nobody_comes_in(client, headers) -> None:
    for method, path in (("POST", V2), ("POST", V1), ("GET", "/v3/projects")):
        assert await answer(client, method, path, headers) == (401, "APIG.0301")


async def test_a_token_whose_user_is_gone(settings, operations, client, clock, tmp_path) -> None:
    key_file = tmp_path / "key"
    key_file.write_bytes(b"k" * 32)
    settings = settings.model_copy(update={"token_key_file": key_file})
    headers = await token(Iam(settings, clock), "u1", NORTH)
    settings.accounts_file.write_text(ACCOUNTS.replace('"u1"', '"u9"'), encoding="utf-8")
    operations.access = Access(settings, Iam(settings, clock), clock)
    assert await answer(client, "POST", V2, headers) == (400, "AIS.0002")
    clock.now += 86_400
    assert await answer(client, "POST", V2, headers) == (401, "APIG.0301")


async def test_a_signature_is_for_the_project_of_the_path_or_the_header(client, clock) -> None:
    bob = Signing(clock, "AKBOB")
    assert await bob.call(client) == (200, ["bob", "p1", True, 2])
    assert await bob.call(client, "/v2/p2/image/tagging") == (200, ["bob", "p2", True, 2])
    assert await bob.call(client, "/v2/p3/image/tagging") == (401, "AIP.0003")
    assert await bob.call(client, "/v2/p9/image/tagging") == (401, "AIP.0003")
    assert await bob.call(client, V1) == (400, "AIS.0010")
    assert await Signing(clock, "AKBOB", project="p2").call(client, V1) == (200, ["bob", "p2", True, 2])
    assert await Signing(clock, "AKBOB", project="p1").call(client) == (200, ["bob", "p1", True, 2])
    for wrong in ("p2", "p3", "p9"):
        assert await Signing(clock, "AKBOB", project=wrong).call(client) == (401, "AIP.0003")


async def test_a_key_may_be_for_fewer_projects(client, clock) -> None:
    one = Signing(clock, "AKONE")
    assert await one.call(client, V1) == (200, ["bob", "p1", True, 2])
    assert await one.call(client, "/v2/p2/image/tagging") == (401, "AIP.0003")
    assert await answer(client, "GET", "/v3/projects", one.headers("GET", "/v3/projects", b"")) == (200, ["p1", "p3"])
    other = Signing(clock, "AKONE", project="p2")
    assert await answer(client, "GET", "/v3/projects", other.headers("GET", "/v3/projects", b"")) == (401, "AIP.0003")


async def test_the_account_named_must_be_the_caller_s(client, clock) -> None:
    for account, expected in (("d1", (200, ["p1"])), ("d2", (401, "AIP.0003"))):
        eve = Signing(clock, "AKEVE", "SK2", project=account, credentials=GlobalCredentials)
        assert await answer(client, "GET", "/v3/projects", eve.headers("GET", "/v3/projects", b"")) == expected


@pytest.mark.parametrize(
    ("key", "secret"), [("AKBOB", "SK2"), ("AKXYZ", "SK1"), ("AKOFF", "SK1"), ("AKTOM", "SK4"), ("AKTMP", "SK1")]
)
async def test_the_wrong_key_opens_nothing(client, clock, key, secret) -> None:
    assert await Signing(clock, key, secret).call(client) == (401, "APIG.0301")


async def test_a_disabled_key_is_told_only_to_its_owner(client, clock) -> None:
    texts = {}
    for secret in ("SK1", "guess"):
        for key in ("AKOFF", "AKXYZ"):
            async with client.post(V2, headers=Signing(clock, key, secret).headers(), data=b"{}") as response:
                texts[key, secret] = (await response.json())["error_msg"]
    assert texts.pop(("AKOFF", "SK1")) != texts["AKOFF", "guess"]
    assert len(set(texts.values())) == 1


async def test_a_temporary_key_needs_its_security_token_and_ends(client, clock) -> None:
    temporary = Signing(clock, "AKTMP", project="p1")
    temporary.credentials.security_token = "st"
    assert await temporary.call(client) == (200, ["bob", "p1", True, 2])
    headers = temporary.headers(body=b"1")
    for wrong in ({"X-Security-Token": "st2"}, {"X-Security-Token": ""}):
        assert await answer(client, "POST", V2, headers | wrong, b"1") == (401, "APIG.0301")
    temporary.credentials.security_token = "other"
    assert await temporary.call(client) == (401, "APIG.0301")
    lasting = Signing(clock, "AKBOB")
    lasting.credentials.security_token = "st"
    assert await lasting.call(client) == (401, "APIG.0301")
    temporary.credentials.security_token = "st"
    clock.now += 3600
    assert await temporary.call(client) == (401, "APIG.0301")


async def test_an_issued_temporary_key_signs(client, iam, clock) -> None:
    document = {"auth": {"identity": {"methods": ["token"]}}}
    key = iam.issue_temporary_key(document, (await token(iam, "u1", NORTH))["X-Auth-Token"])
    signing = Signing(clock, key.access_key, key.secret_key)
    signing.credentials.security_token = key.security_token
    assert await signing.call(client, V1) == (200, ["bob", "p1", True, 2])
    assert await signing.call(client, "/v2/p2/image/tagging") == (401, "AIP.0003")
    signing.credentials.security_token = None
    assert await signing.call(client) == (401, "APIG.0301")
    signing.credentials.security_token = key.security_token
    clock.now += 900
    assert await signing.call(client) == (401, "APIG.0301")


async def test_an_upload_is_told_as_not_signed(client, clock) -> None:
    bob = Signing(clock, "AKBOB", project="p1")
    bob.extra = {"Content-Type": "multipart/form-data; boundary=x"}
    assert await bob.call(client, V1, b"x" * 300_000) == (200, ["bob", "p1", False, 300_000])


async def test_a_large_body_is_verified_too(client, clock) -> None:
    bob = Signing(clock, "AKBOB")
    body = b"x" * 300_000
    headers = bob.headers(body=body)
    assert await answer(client, "POST", V2, headers, body) == (200, ["bob", "p1", True, 300_000])
    assert await answer(client, "POST", V2, headers, body[:-1] + b"y") == (401, "APIG.0301")


async def test_an_altered_request_is_refused(client, clock) -> None:
    headers = Signing(clock, "AKBOB", project="p1").headers()
    assert await answer(client, "POST", V2, headers, b"{ }") == (401, "APIG.0301")
    assert await answer(client, "POST", V2 + "?a=1", headers, b"{}") == (401, "APIG.0301")
    assert await answer(client, "POST", V1, headers, b"{}") == (401, "APIG.0301")
    for name, value in (("X-Project-Id", "p2"), ("Host", "other.example"), ("X-Domain-Id", "d1"), ("Content-Type", "text/plain")):
        assert await answer(client, "POST", V2, headers | {name: value}, b"{}") == (401, "APIG.0301")
    twice = [*headers.items(), ("X-Project-Id", "p2")]
    assert await answer(client, "POST", V2, twice, b"{}") == (401, "APIG.0301")
    assert await answer(client, "POST", V2, headers, b"{}") == (200, ["bob", "p1", True, 2])


async def test_a_replayed_request_is_refused(client, clock) -> None:
    headers = Signing(clock, "AKBOB").headers()
    for _ in range(2):  # twice in a second: another honest call, for all that can be told
        assert await answer(client, "POST", V2, headers, b"{}") == (200, ["bob", "p1", True, 2])
    clock.now += 2
    assert await answer(client, "POST", V2, headers, b"{}") == (401, "APIG.0301")
    assert await Signing(clock, "AKBOB").call(client) == (200, ["bob", "p1", True, 2])
    look_up = Signing(clock, "AKBOB").headers("GET", "/v3/projects", b"")
    assert (await answer(client, "GET", "/v3/projects", look_up))[0] == 200
    clock.now += 2
    assert (await answer(client, "GET", "/v3/projects", look_up))[0] == 401


async def test_replays_may_be_let_in_and_the_grace_be_none(settings, iam, operations, client, clock) -> None:
    headers = Signing(clock, "AKBOB").headers()
    operations.access = Access(settings.model_copy(update={"refuse_replays": False}), iam, clock)
    for _ in range(3):
        assert (await answer(client, "POST", V2, headers, b"{}"))[0] == 200
        clock.now += 100
    operations.access = Access(settings.model_copy(update={"replay_grace": 0.0}), iam, clock)
    assert (await answer(client, "POST", V2, headers, b"{}"))[0] == 200
    assert (await answer(client, "POST", V2, headers, b"{}"))[0] == 401


async def test_of_the_same_requests_at_once_one_comes_in(settings, iam, operations, client, clock) -> None:
    operations.access = Access(settings.model_copy(update={"replay_grace": 0.0}), iam, clock)
    body = b"x" * 300_000  # hashed in a thread, so that the others come in between
    headers = Signing(clock, "AKBOB").headers(body=body)
    statuses = [status for status, _ in await asyncio.gather(*[answer(client, "POST", V2, headers, body) for _ in range(8)])]
    assert sorted(statuses) == [200, *[401] * 7]


async def test_quotas_of_the_user(client, operations, clock) -> None:
    eve = Signing(clock, "AKEVE", "SK2")
    assert await eve.call(client, "/v1.0/image/defog") == (400, "AIS.0007")
    assert await eve.call(client, "/v1.0/image/dark") == (400, "AIS.0004")
    assert await eve.call(client) == (200, ["eve", "p1", True, 2])
    headers = eve.headers(body=b"1")
    async with client.post(V2, headers=headers, data=b"1") as response:
        assert (response.status, (await response.json())["error_code"]) == (429, "APIG.0308")
        assert response.headers["Retry-After"] == "1"
    clock.now += 10  # what was throttled may come again as it is, long after the grace
    assert await answer(client, "POST", V2, headers, b"1") == (200, ["eve", "p1", True, 1])
    assert await Signing(clock, "AKANN", "SK3").call(client) == (400, "AIS.0027")


async def test_calls_at_once(client, operations, clock) -> None:
    eve = Signing(clock, "AKEVE", "SK2")
    operations.go_on.clear()
    first = asyncio.create_task(eve.call(client))
    await operations.entered.wait()
    clock.now += 10
    assert await eve.call(client) == (429, "APIG.0308")
    operations.go_on.set()
    assert (await first)[0] == 200
    assert (await eve.call(client))[0] == 200


async def test_the_month_s_calls_of_a_project_are_those_that_succeed(client, operations, clock) -> None:
    bob = Signing(clock, "AKBOB", project="p2")
    operations.fails = True
    for number in range(3):
        assert await bob.call(client, V1, b"%d" % number) == (400, "AIS.0503")
    operations.fails = False
    for expected in (200, 200, 400):
        assert (await bob.call(client, V1))[0] == expected
    assert await bob.call(client, V1) == (400, "AIS.0032")
    assert (await Signing(clock, "AKBOB", project="p1").call(client, V1))[0] == 200


def test_a_quota_may_name_only_what_there_is(settings, iam, clock) -> None:
    with pytest.raises(RestConfigError) as caught:
        Access(settings, iam, clock, operations=["image-tagging", "defog"])
    (problem,) = caught.value.problems
    assert "user eve of domain acme names the operation tagging, which there is not; did you mean image-tagging?" in problem
