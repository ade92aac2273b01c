import base64
import json

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from gateway.engines.provider import LocalProvider
from gateway.engines.settings import LocalSettings
from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageUri, Language, TaggingParameters
from gateway.prepare import Preparer
from gateway.prepare.options import UNTOUCHED
from gateway.prepare.settings import PrepareSettings
from gateway.rest.app import MAX_BODY_BYTES
from gateway.usecases.tagging import TagImage

TAGGING = "/v2/p7/image/tagging"
URL = "https://example.org/cat.jpg"


def sign_in(given: str = "hunter2", scope: object = None) -> dict[str, object]:
    user = {"name": "ada", "password": given, "domain": {"name": "acme"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, "scope": scope or {"project": {"name": "north"}}}}


@pytest.fixture
async def headers(client) -> dict[str, str]:
    """The headers of a caller who has signed in."""
    async with client.post("/v3/auth/tokens", json=sign_in()) as response:
        return {"X-Auth-Token": response.headers["X-Subject-Token"]}


async def answer(client, method="POST", path=TAGGING, **options):
    """Status and document of a reply, which is JSON and names the request whatever it says."""
    async with client.request(method, path, **options) as response:
        assert len(response.headers["X-Request-Id"]) == 32
        assert response.content_type == "application/json"
        document = await response.json()
        assert "hunter2" not in str(document)
        return response.status, document


async def refused(client, **options) -> tuple[int, str]:
    status, document = await answer(client, **options)
    assert set(document) == {"error_code", "error_msg"}
    assert document["error_msg"]
    return status, document["error_code"]


async def test_signing_in(client) -> None:
    async with client.post("/v3/auth/tokens?nocatalog=true", json=sign_in()) as response:
        assert response.status == 201
        assert response.headers["X-Subject-Token"]
        assert response.headers["X-Request-Id"]
        token = (await response.json())["token"]
    assert token["project"]["id"] == "p7"
    assert token["expires_at"] == "2027-01-16T08:00:00.000000Z"


@pytest.mark.parametrize(
    ("body", "status"),
    [(sign_in("hunter3"), 401), (sign_in("\ud800"), 401), (sign_in(scope={"project": {"name": "x"}}), 401), ({}, 400), ([], 400)],
)
async def test_signing_in_wrongly(client, body, status) -> None:
    async with client.post("/v3/auth/tokens", json=body) as response:
        assert response.status == status
        assert "X-Subject-Token" not in response.headers
        assert (await response.json())["error"]["code"] == status


async def test_a_sign_in_is_small(client) -> None:
    status, document = await answer(client, path="/v3/auth/tokens", data=b" " * 65_537)
    assert (status, document["error"]["code"]) == (413, 413)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 60_000])
async def test_signing_in_with_what_is_no_json(client, body) -> None:
    status, document = await answer(client, path="/v3/auth/tokens", data=body)
    assert (status, document["error"]["code"]) == (400, 400)


async def test_tagging(client, headers, tagging, dog, cat) -> None:
    request = {"image": base64.b64encode(dog).decode(), "url": "", "language": "en", "threshold": 0, "limit": 150}
    status, document = await answer(client, headers=headers, json=request)
    assert status == 200
    assert tagging.calls == [(ImageContent(dog), TaggingParameters(Language.EN, 0.0, 150))]
    (tag,) = document["result"]["tags"]
    assert (tag["tag"], tag["confidence"]) == (cat.name, "91.46")


async def test_tagging_by_url(client, headers, tagging) -> None:
    assert (await answer(client, headers=headers, json={"url": URL}))[0] == 200
    assert tagging.calls == [(ImageUri(URL), TaggingParameters())]


async def test_no_two_requests_have_the_same_id(client) -> None:
    ids = set()
    for _ in range(2):
        async with client.get("/") as response:
            ids.add(response.headers["X-Request-Id"])
    assert len(ids) == 2


@pytest.mark.parametrize(
    "headers_",
    [
        {},
        {"X-Auth-Token": ""},
        {"X-Auth-Token": "forged"},
        {"X-Auth-Token": "a.b"},
        {"X-Auth-Token": "é\udcff.\udcff"},
        {"Authorization": "Bearer x"},
        {"Authorization": ""},
    ],
)
async def test_without_a_valid_credential_nothing_is_done(client, tagging, headers_) -> None:
    assert await refused(client, headers=headers_, json={"url": URL}) == (401, "APIG.0301")
    status, document = await answer(client, method="GET", path="/v3/projects", headers=headers_)
    assert (status, document["error"]["code"]) == (401, 401)
    assert tagging.calls == []


async def test_an_expired_token(client, headers, clock) -> None:
    clock.now += 86_400
    assert await refused(client, headers=headers, json={"url": URL}) == (401, "APIG.0301")


async def test_a_token_of_the_domain(client, tagging) -> None:
    async with client.post("/v3/auth/tokens", json=sign_in(scope={"domain": {"name": "acme"}})) as response:
        headers = {"X-Auth-Token": response.headers["X-Subject-Token"]}
    assert await refused(client, headers=headers, json={"url": URL}) == (400, "AIS.0026")
    assert tagging.calls == []
    async with client.get("/v3/projects", headers=headers) as response:  # how such a caller finds its project
        assert len((await response.json())["projects"]) == 1


async def test_another_project(client, headers, tagging) -> None:
    assert await refused(client, path="/v2/p8/image/tagging", headers=headers, json={"url": URL}) == (401, "AIP.0003")
    assert tagging.calls == []


def signed(method: str, path: str, query=(), body: bytes = b"") -> dict[str, object]:
    """The options of a request that the vendor's SDK signed for the host `image.example`."""
    headers = {"X-Sdk-Date": "20270115T080000Z", "Content-Type": "application/json"}
    request = SdkRequest(method, "http", "image.example", path, query_params=list(query), header_params=headers, body=body)
    Signer(BasicCredentials("AK", "SK")).sign(request)
    return {"method": method, "path": request.uri, "headers": request.header_params, "data": body}


async def test_a_signature_will_do_instead_of_a_token(client, clock, tagging) -> None:
    body = json.dumps({"url": URL}).encode()
    options = signed("POST", TAGGING, body=body)
    assert (await answer(client, **options))[0] == 200
    assert await refused(client, **options | {"data": body + b" "}) == (401, "APIG.0301")
    assert len(tagging.calls) == 1
    status, document = await answer(client, **signed("GET", "/v3/projects", [("name", "north")]))
    assert (status, [project["id"] for project in document["projects"]]) == (200, ["p7"])
    clock.now += 901
    assert await refused(client, **options) == (401, "APIG.0301")


@pytest.mark.parametrize(("query", "ids"), [("", ["p7"]), ("?name=north", ["p7"]), ("?name=south", [])])
async def test_projects(client, headers, query, ids) -> None:
    status, document = await answer(client, method="GET", path=f"/v3/projects{query}", headers=headers)
    assert (status, [project["id"] for project in document["projects"]]) == (200, ids)


@pytest.mark.parametrize("path", ["/", "/v2/p7/image/taggings", f"{TAGGING}/", "/v1.0/image/tagging", "/v2/p7/x/image/tagging"])
async def test_an_unknown_path(client, headers, path) -> None:
    assert await refused(client, path=path, headers=headers, json={"url": URL}) == (404, "APIG.0101")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v3/projects"), ("GET", "/v3/auth/tokens")],
)
async def test_a_wrong_method_of_the_identity_service(client, headers, method, path) -> None:
    status, document = await answer(client, method=method, path=path, headers=headers)
    assert (status, document["error"]["code"]) == (400, 400)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_wrong_method(client, headers, method) -> None:
    assert await refused(client, method=method, path=TAGGING, headers=headers) == (400, "AIS.0013")


async def test_a_body_that_is_not_what_its_headers_say(client, headers, caplog) -> None:
    odd = headers | {"Content-Encoding": "gzip"}
    assert await refused(client, headers=odd, data=b"no gzip") == (400, "AIS.0014")
    assert not any(record.exc_info for record in caplog.records if record.name.startswith("gateway"))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "AIS.0014"),
        (b"", "AIS.0014"),
        (b'{"image": "?"}', "AIS.0015"),
        (b'{"url": ""}', "AIS.0011"),
        (b'{"image": "AAAA", "url": "https://example.org/"}', "AIS.0012"),
        (b'{"url": "ftp://example.org/"}', "AIS.0022"),
        (b'{"url": "https://example.org/", "threshold": 100.1}', "AIS.0501"),
        (b'{"url": "https://example.org/", "threshold": -1}', "AIS.0501"),
        (b'{"url": "https://example.org/", "limit": 0}', "AIS.0501"),
        (b'{"url": "https://example.org/", "limit": 151}', "AIS.0501"),
    ],
)
async def test_a_request_that_cannot_be_taken(client, headers, tagging, body, code) -> None:
    assert await refused(client, headers=headers, data=body) == (400, code)
    assert tagging.calls == []


async def test_a_body_must_be_under_12_mb(client, headers, tagging) -> None:
    start = b'{"url": "https://example.org/"}'
    allowed = start + b" " * (MAX_BODY_BYTES - 1 - len(start))

    async def parts(body: bytes):  # its length is not announced
        yield body

    assert (await answer(client, headers=headers, data=parts(allowed)))[0] == 200
    assert await refused(client, headers=headers, data=parts(allowed + b" ")) == (400, "AIS.0020")
    assert len(tagging.calls) == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GatewayError(Reason.IMAGE_DAMAGED, "it is cut short"), "AIS.0503"),
        (GatewayError(Reason.UPSTREAM_INTERNAL, "hunter2"), "AIS.0506"),
        (ZeroDivisionError("hunter2"), "AIS.0506"),
    ],
)
async def test_a_failure_has_its_code_and_leaves_a_trace_in_the_log(client, headers, tagging, caplog, error, code) -> None:
    caplog.set_level("INFO")
    tagging.error = error
    async with client.post(TAGGING, headers=headers, json={"url": URL}) as response:
        assert (response.status, (await response.json())["error_code"]) == (400, code)
        request_id = response.headers["X-Request-Id"]
        assert "hunter2" not in await response.text()
    assert f"request {request_id} failed" in caplog.text


class TestWithTheEngine:
    """The same face over the real use case and the engines of this process."""

    @pytest.fixture
    async def tagging(self):
        class NoFetcher:
            async def fetch(self, uri: str) -> bytes:
                raise AssertionError(uri)

        provider = LocalProvider(LocalSettings(workers=1), max_pixels=100_000_000)
        with Preparer(PrepareSettings()) as preparer:
            yield TagImage(provider, NoFetcher(), preparer, UNTOUCHED)
        await provider.aclose()

    async def test_a_photograph_is_tagged_and_bad_pictures_are_refused(
        self, client, headers, dog, bad_pictures, oversized_pictures
    ) -> None:
        request = {"image": base64.b64encode(dog).decode(), "language": "en", "threshold": 30, "limit": 5}
        status, document = await answer(client, headers=headers, json=request)
        tags = document["result"]["tags"]
        assert status == 200
        assert "dog" in [tag["tag"] for tag in tags]
        assert all(isinstance(tag["confidence"], str) and 30 <= float(tag["confidence"]) <= 100 for tag in tags)
        assert len(tags) <= 5
        codes = {"IMAGE_DAMAGED": "AIS.0503", "IMAGE_FORMAT_UNSUPPORTED": "AIS.0502", "IMAGE_EMPTY": "AIS.0011"}
        # The contract repairs nothing.
        for data, reason in (bad_pictures | oversized_pictures).values():
            image = {"image": base64.b64encode(data).decode()}
            if len(image["image"]) < MAX_BODY_BYTES - 100:
                assert await refused(client, headers=headers, json=image) == (400, codes.get(reason, "AIS.0504"))
