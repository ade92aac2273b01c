"""The identity service over HTTP; the look-ups are made by the vendor's SDK too."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from huaweicloudsdkcore.auth.credentials import BasicCredentials, Credentials, GlobalCredentials
from huaweicloudsdkcore.auth.internal import IamHelper
from huaweicloudsdkcore.exceptions.exception_handler import DefaultExceptionHandler
from huaweicloudsdkcore.exceptions.exceptions import SdkException
from huaweicloudsdkcore.http.http_client import HttpClient
from huaweicloudsdkcore.http.http_config import HttpConfig

from gateway.rest.access import Access
from gateway.rest.errors import RestError
from gateway.rest.iam import Iam
from gateway.rest.identity import MAX_DOCUMENT_BYTES, identity_routes, is_identity_path
from gateway.rest.keystone import SignInError

ACCOUNTS = """
[[domains]]
name = "acme"
id = "d1"
[[domains.projects]]
name = "south"
id = "p8"
[[domains.users]]
name = "bob"
password = "hunter3"
access_keys = [{ access_key = "AKBOB", secret_key = "SKBOB" }]
[[domains]]
name = "other"
[[domains.users]]
name = "eve"
password = "hunter4"
"""


@web.middleware
async def answer_refusals(request: web.Request, handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (SignInError, RestError) as error:
        return error.response()


@pytest.fixture
async def client(settings, tmp_path) -> AsyncIterator[TestClient]:
    file = tmp_path / "accounts.toml"
    file.write_text(ACCOUNTS, encoding="utf-8")
    # The SDK signs by the machine's clock.
    settings = settings.model_copy(update={"accounts_file": file, "replay_grace": 60.0})
    iam = Iam(settings, time.time)
    app = web.Application(middlewares=[answer_refusals])
    app.add_routes(identity_routes(iam, Access(settings, iam, time.time)))
    async with TestClient(TestServer(app)) as opened:
        yield opened


def sign_in(name: str = "ada", given: str = "hunter2", domain: str = "acme", scope: object = None) -> dict[str, object]:
    user = {"name": name, "password": given, "domain": {"name": domain}}
    return {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}


async def token(client: TestClient, **options) -> dict[str, str]:
    async with client.post("/v3/auth/tokens?nocatalog=true", json=sign_in(**options)) as response:
        assert response.status == 201
        return {"X-Auth-Token": response.headers["X-Subject-Token"]}


async def answer(client: TestClient, method: str, path: str, **options) -> tuple[int, dict]:
    async with client.request(method, path, **options) as response:
        return response.status, await response.json()


async def test_what_a_token_stands_for_is_told_within_its_account(client) -> None:
    ada, bob, eve = [await token(client, name=n, given=f"hunter{i}", domain=d) for n, i, d in WHO]
    status, document = await answer(client, "GET", "/v3/auth/tokens", headers=bob | {"X-Subject-Token": ada["X-Auth-Token"]})
    assert (status, document["token"]["user"]["name"]) == (200, "ada")
    status, document = await answer(client, "GET", "/v3/auth/tokens", headers=eve | {"X-Subject-Token": ada["X-Auth-Token"]})
    assert (status, document["error"]["code"]) == (401, 401)
    for subject in ({}, {"X-Subject-Token": "x.y"}):
        status, document = await answer(client, "GET", "/v3/auth/tokens", headers=ada | subject)
        assert (status, document["error"]["title"]) == (404, "Not Found")
    assert (await answer(client, "GET", "/v3/auth/tokens", headers={"X-Subject-Token": ada["X-Auth-Token"]}))[0] == 401


WHO = [("ada", 2, "acme"), ("bob", 3, "acme"), ("eve", 4, "other")]


@pytest.mark.parametrize(
    ("who", "query", "ids"),
    [
        (WHO[0], "", ["p7"]),
        (WHO[0], "?name=north", ["p7"]),
        (WHO[0], "?name=south", []),
        (WHO[1], "", ["p8", "p7"]),
        (WHO[1], "?name=south", ["p8"]),
        (WHO[1], "?name=", []),
        (WHO[2], "", []),
    ],
)
async def test_projects_are_the_caller_s(client, who, query, ids) -> None:
    name, number, domain = who
    headers = await token(client, name=name, given=f"hunter{number}", domain=domain)
    status, document = await answer(client, "GET", f"/v3/projects{query}", headers=headers)
    assert (status, [project["id"] for project in document["projects"]]) == (200, ids)
    assert set(document["links"]) == {"self", "next", "previous"}
    assert all(
        project["enabled"] and project["domain_id"] == "d1" and not project["is_domain"] for project in document["projects"]
    )


async def test_domains(client) -> None:
    status, document = await answer(client, "GET", "/v3/auth/domains", headers=await token(client))
    assert (status, [(domain["id"], domain["name"]) for domain in document["domains"]]) == (200, [("d1", "acme")])


@pytest.mark.parametrize(("method", "path"), [("GET", "/v3/projects"), ("GET", "/v3/auth/domains"), ("GET", "/v3/auth/tokens")])
async def test_look_ups_need_a_credential(client, method, path) -> None:
    assert (await answer(client, method, path))[0] == 401
    assert (await answer(client, method, path, headers={"X-Auth-Token": "x"}))[0] == 401


@pytest.mark.parametrize("path", ["/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"{", 400), (b"\xff", 400), (b"[" * 60_000, 400), (b"{}", 400), (b" " * (MAX_DOCUMENT_BYTES + 1), 413)],
)
async def test_bodies_that_are_no_requests(client, path, body, status) -> None:
    assert (await answer(client, "POST", path, data=body))[1]["error"]["code"] == status


async def test_a_temporary_key_by_a_token_in_the_header(client) -> None:
    document = {"auth": {"identity": {"methods": ["token"], "token": {"duration_seconds": 900}}}}
    status, issued = await answer(
        client, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", headers=await token(client), json=document
    )
    assert status == 201
    assert set(issued["credential"]) == {"access", "secret", "securitytoken", "expires_at"}


@pytest.mark.parametrize(
    ("path", "is_identity"),
    [
        ("/v3/auth/tokens", True),
        ("/v3/projects", True),
        ("/v3.0/OS-CREDENTIAL/securitytokens", True),
        ("/v3/p7/image/main-object-detection", False),
        ("/v3/authors", False),
        ("/v3/projects-north/image/main-object-detection", False),
        ("/v3/projects/p7", True),
        ("/v2/p7/image/tagging", False),
        ("/", False),
    ],
)
def test_the_identity_service_s_paths(path, is_identity) -> None:
    assert is_identity_path(path) is is_identity


class TestWithTheSdk:
    """The vendor's SDK looks up what it was not told."""

    @pytest.fixture(autouse=True)
    def no_cache(self, monkeypatch) -> None:
        monkeypatch.setattr(Credentials, "_CACHE", {})

    @pytest.fixture
    def http(self) -> HttpClient:
        return HttpClient(HttpConfig.get_default_config(), None, DefaultExceptionHandler(), logging.getLogger("sdk"))

    @pytest.fixture
    def endpoint(self, client) -> str:
        return str(client.make_url("/")).rstrip("/")

    async def test_it_finds_the_project(self, http, endpoint) -> None:
        credentials = BasicCredentials("AKBOB", "SKBOB").with_iam_endpoint(endpoint)
        await asyncio.to_thread(credentials.process_auth_params, http, "south")
        assert credentials.project_id == "p8"

    async def test_it_says_that_there_is_no_such_project(self, http, endpoint) -> None:
        credentials = BasicCredentials("AKBOB", "SKBOB").with_iam_endpoint(endpoint)
        with pytest.raises(SdkException, match="Failed to get project id of region 'east'"):
            await asyncio.to_thread(credentials.process_auth_params, http, "east")

    async def test_it_finds_the_account(self, http, endpoint) -> None:
        credentials = GlobalCredentials("AKBOB", "SKBOB").with_iam_endpoint(endpoint)
        await asyncio.to_thread(credentials.process_auth_params, http, "south")
        assert credentials.domain_id == "d1"

    async def test_a_wrong_key_is_told(self, http, endpoint) -> None:
        credentials = BasicCredentials("AKBOB", "wrong").with_iam_endpoint(endpoint)
        with pytest.raises(SdkException, match="401"):
            await asyncio.to_thread(credentials.process_auth_params, http, "south")

    async def test_it_gets_a_temporary_key_and_signs_with_it(self, client, http, endpoint) -> None:
        given = (await token(client))["X-Auth-Token"]
        request = IamHelper.get_create_temporary_access_key_by_token_request(http.config, endpoint, given, 3600)
        issued = await asyncio.to_thread(IamHelper.create_temporary_access_key_by_token, http, request)
        credentials = BasicCredentials(issued["access"], issued["secret"]).with_iam_endpoint(endpoint)
        credentials.with_security_token(issued["securitytoken"])
        await asyncio.to_thread(credentials.process_auth_params, http, "north")
        assert credentials.project_id == "p7"
