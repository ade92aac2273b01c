"""The face over HTTP, with use cases that tests command: what every request passes, whatever it asks for."""

import asyncio
import base64
import io
import json

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from gateway.errors import GatewayError, Reason
from gateway.media import DarkEnhanceParameters, DefogParameters, ImageContent, ImageUri, Language, TaggingParameters
from gateway.rest import refusals
from gateway.rest.app import build_app
from gateway.rest.fault_settings import FaultSettings
from gateway.rest.recording_settings import RecordSettings
from gateway.rest.refusals import MAX_BODY_BYTES
from gateway.rest.settings import RestConfigError

TAGGING, DARK, DEFOG = "/v2/p7/image/tagging", "/v1.0/vision/dark-enhance", "/v1.0/vision/defog"
URL = "https://example.org/cat.jpg"


def sign_in(given: str = "hunter2", scope: object = None) -> dict[str, object]:
    user = {"name": "ada", "password": given, "domain": {"name": "acme"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, "scope": scope or {"project": {"name": "north"}}}}


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


class TestSignIn:
    async def test_right(self, client) -> None:
        async with client.post("/v3/auth/tokens?nocatalog=true", json=sign_in()) as response:
            assert response.status == 201
            assert response.headers["X-Subject-Token"]
            assert response.headers["X-IAM-Trace-Id"] == response.headers["X-Request-Id"]
            token = (await response.json())["token"]
        assert token["project"]["id"] == "p7"
        assert token["expires_at"] == "2027-01-16T08:00:00.000000Z"

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            (sign_in("hunter3"), 401),
            (sign_in("\ud800"), 401),
            (sign_in(scope={"project": {"name": "x"}}), 401),
            ({}, 400),
            ([], 400),
        ],
    )
    async def test_wrong(self, client, body, status) -> None:
        async with client.post("/v3/auth/tokens", json=body) as response:
            assert response.status == status
            assert "X-Subject-Token" not in response.headers
            assert (await response.json())["error"]["code"] == status

    async def test_too_large(self, client) -> None:
        status, document = await answer(client, path="/v3/auth/tokens", data=b" " * 65_537)
        assert (status, document["error"]["code"]) == (413, 413)

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 60_000])
    async def test_no_json(self, client, body) -> None:
        status, document = await answer(client, path="/v3/auth/tokens", data=body)
        assert (status, document["error"]["code"]) == (400, 400)

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/v3/projects"), ("PUT", "/v3/auth/tokens"), ("GET", "/v3.0/OS-CREDENTIAL/securitytokens")],
    )
    async def test_a_wrong_method(self, client, headers, method, path) -> None:
        status, document = await answer(client, method=method, path=path, headers=headers)
        assert (status, document["error"]["code"], document["error"]["title"]) == (400, 400, "Bad Request")

    @pytest.mark.parametrize(("query", "ids"), [("", ["p7"]), ("?name=north", ["p7"]), ("?name=south", [])])
    async def test_projects(self, client, headers, query, ids) -> None:
        status, document = await answer(client, method="GET", path=f"/v3/projects{query}", headers=headers)
        assert (status, [project["id"] for project in document["projects"]]) == (200, ids)


class TestCredentials:
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
    async def test_without_a_valid_one_nothing_is_done(self, client, tagging, headers_) -> None:
        assert await refused(client, headers=headers_, json={"url": URL}) == (401, "APIG.0301")
        status, document = await answer(client, method="GET", path="/v3/projects", headers=headers_)
        assert (status, document["error"]["code"]) == (401, 401)
        assert tagging.calls == []

    async def test_an_expired_token(self, client, headers, clock) -> None:
        clock.now += 86_400
        assert await refused(client, headers=headers, json={"url": URL}) == (401, "APIG.0301")

    async def test_a_token_of_the_domain(self, client, tagging) -> None:
        async with client.post("/v3/auth/tokens", json=sign_in(scope={"domain": {"name": "acme"}})) as response:
            headers = {"X-Auth-Token": response.headers["X-Subject-Token"]}
        assert await refused(client, headers=headers, json={"url": URL}) == (400, "AIS.0026")
        assert tagging.calls == []
        async with client.get("/v3/projects", headers=headers) as response:  # how such a caller finds its project
            assert len((await response.json())["projects"]) == 1

    async def test_another_project(self, client, headers, tagging) -> None:
        assert await refused(client, path="/v2/p8/image/tagging", headers=headers, json={"url": URL}) == (401, "AIP.0003")
        assert tagging.calls == []

    async def test_credentials_come_before_the_body(self, client) -> None:
        assert await refused(client, data=b"{") == (401, "APIG.0301")


def signed(path: str, body: bytes, content_type="application/json", method="POST", query=()) -> dict[str, object]:
    """The options of a request that the vendor's SDK signed for the host `image.example`."""
    headers = {"X-Sdk-Date": "20270115T080000Z", "Content-Type": content_type}
    request = SdkRequest(method, "http", "image.example", path, query_params=list(query), header_params=headers, body=body)
    if content_type != "application/json":
        headers["X-Sdk-Content-Sha256"] = "UNSIGNED-PAYLOAD"
    Signer(BasicCredentials("AK", "SK")).sign(request)
    return {"method": method, "path": request.uri, "headers": request.header_params, "data": body}


class TestSignatures:
    async def test_one_will_do_instead_of_a_token(self, client, clock, tagging) -> None:
        body = json.dumps({"url": URL}).encode()
        options = signed(TAGGING, body)
        assert (await answer(client, **options))[0] == 200
        assert await refused(client, **options | {"data": body + b" "}) == (401, "APIG.0301")
        assert len(tagging.calls) == 1
        status, document = await answer(client, **signed("/v3/projects", b"", method="GET", query=[("name", "north")]))
        assert (status, [project["id"] for project in document["projects"]]) == (200, ["p7"])
        clock.now += 901
        assert await refused(client, **options) == (401, "APIG.0301")

    async def test_a_form_may_be_left_out_of_it_and_json_may_not(self, client, tagging, enhancing) -> None:
        form = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\npicture\r\n--b--'
        options = signed(DARK, form, "multipart/form-data; boundary=b")
        async with client.request(options.pop("method"), options.pop("path"), **options) as response:
            assert response.status == 200
        assert enhancing.calls == [(ImageContent(b"picture"), DarkEnhanceParameters())]
        body = json.dumps({"image": "AAAA", "url": ""}).encode()
        assert await refused(client, **signed(DARK, body, "text/plain")) == (401, "APIG.0301")
        assert await refused(client, **signed(TAGGING, body, "multipart/form-data; boundary=b")) == (401, "APIG.0301")
        assert (tagging.calls, len(enhancing.calls)) == ([], 1)


class TestOperations:
    async def test_tagging(self, client, headers, tagging, dog, cat) -> None:
        request = {"image": base64.b64encode(dog).decode(), "url": "", "language": "en", "threshold": 0, "limit": 150}
        status, document = await answer(client, headers=headers, json=request)
        assert status == 200
        assert tagging.calls == [(ImageContent(dog), TaggingParameters(Language.EN, 0.0, 150))]
        (tag,) = document["result"]["tags"]
        assert (tag["tag"], tag["confidence"]) == (cat.name, "91.46")

    async def test_tagging_by_url(self, client, headers, tagging) -> None:
        assert (await answer(client, headers=headers, json={"url": URL}))[0] == 200
        assert tagging.calls == [(ImageUri(URL), TaggingParameters())]

    @pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=gbk", "text/plain", "x", ""])
    async def test_json_may_have_any_content_type(self, client, headers, content_type) -> None:
        body = json.dumps({"url": URL}).encode()
        assert (await answer(client, headers=headers | {"Content-Type": content_type}, data=body))[0] == 200

    async def test_main_objects(self, client, headers) -> None:
        # /v3/ is where most of the identity service is, but this is not.
        path = "/v3/p7/image/main-object-detection"
        status, document = await answer(client, path=path, headers=headers, json={"url": URL})
        assert (status, [each["label"] for each in document["result"]]) == (200, ["main_object_box", "bounding_box"])
        assert await refused(client, path=path, headers=headers, json={}) == (400, "AIS.0011")

    @pytest.mark.parametrize("size", [4, 400_000])  # what is long is encoded on a thread
    async def test_a_picture_in_json_comes_back_in_json(self, client, headers, enhancing, size) -> None:
        picture = bytes(range(256)) * (size // 256 + 1)
        object.__setattr__(enhancing.reply.reply, "image", picture)
        body = {"image": base64.b64encode(picture).decode(), "gamma": 2}
        status, document = await answer(client, path=DEFOG, headers=headers, json=body)
        assert (status, base64.b64decode(document["result"], validate=True)) == (200, picture)
        assert enhancing.calls == [(ImageContent(picture), DefogParameters(2.0))]

    async def test_a_picture_in_a_form_comes_back_as_it_is(self, client, headers, enhancing) -> None:
        form = FormData({"gamma": "2", "natural_look": "false"})
        form.add_field("file", b"picture", filename="猫.jpg", content_type="image/jpeg")
        async with client.post(DEFOG, headers=headers, data=form) as response:
            assert (response.status, response.content_type) == (200, "image/png")
            assert await response.read() == enhancing.reply.reply.image
            assert len(response.headers["X-Request-Id"]) == 32
        assert enhancing.calls == [(ImageContent(b"picture"), DefogParameters(2.0, natural_look=False))]

    async def test_a_refused_form_gets_json(self, client, headers, enhancing) -> None:
        form = FormData({"gamma": "20"})
        form.add_field("file", b"picture", filename="a.jpg")
        assert await refused(client, path=DEFOG, headers=headers, data=form) == (400, "AIS.0203")
        assert enhancing.calls == []

    async def test_an_expired_url_is_not_downloaded(self, client, headers, clock, tagging) -> None:
        url = f"https://bucket.obs.example/cat.jpg?AccessKeyId=hunter2&Expires={clock.now:.0f}&Signature=s"
        assert await refused(client, headers=headers, json={"url": url}) == (400, "AIS.0024")
        assert tagging.calls == []


class TestPathsAndMethods:
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/v2/p7/image/taggings",
            f"{TAGGING}/",
            "/v2//image/tagging",
            "/v1.0/image/tagging/v1",
            "/v2/p7/x/image/tagging",
            "/v2/p7/image/celebrity-recognition",
            "/v2/p7/image/recapture-detect",
        ],
    )
    async def test_an_unknown_path(self, client, headers, path) -> None:
        assert await refused(client, path=path, headers=headers, json={"url": URL}) == (400, "APIG.0101")

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE"])
    async def test_a_wrong_method(self, client, headers, method) -> None:
        assert await refused(client, method=method, path=TAGGING, headers=headers) == (400, "AIS.0013")

    async def test_a_reply_to_head_has_no_body(self, client, headers) -> None:
        async with client.head(TAGGING, headers=headers) as response:
            assert (response.status, await response.read()) == (400, b"")
            assert response.headers["X-Request-Id"]

    async def test_no_two_requests_have_the_same_id(self, client) -> None:
        ids = set()
        for _ in range(2):
            async with client.get("/") as response:
                ids.add(response.headers["X-Request-Id"])
        assert len(ids) == 2


async def in_parts(*parts: bytes):
    """A body whose length is not announced."""
    for part in parts:
        yield part


class TestBodies:
    async def test_it_must_be_under_12_mb(self, client, headers, tagging) -> None:
        start = b'{"url": "https://example.org/"}'
        allowed = start + b" " * (MAX_BODY_BYTES - 1 - len(start))
        assert (await answer(client, headers=headers, data=in_parts(allowed)))[0] == 200
        assert await refused(client, headers=headers, data=in_parts(allowed, b" ")) == (400, "AIS.0020")
        assert await refused(client, headers=headers, data=io.BytesIO(allowed + b" ")) == (400, "AIS.0020")
        assert len(tagging.calls) == 1

    async def test_it_may_come_in_chunks(self, client, headers, tagging) -> None:
        body = json.dumps({"url": URL}).encode()
        assert (await answer(client, headers=headers, data=in_parts(*(bytes([byte]) for byte in body))))[0] == 200
        assert tagging.calls == [(ImageUri(URL), TaggingParameters())]

    async def test_a_client_may_wait_for_leave_to_send_it(self, client, headers) -> None:
        assert (await answer(client, headers=headers, json={"url": URL}, expect100=True))[0] == 200

    @pytest.mark.parametrize("start", [b"", b'3\r\n{"u\r\n'])
    async def test_chunks_that_are_none(self, client, headers, tagging, caplog, start) -> None:
        reader, writer = await asyncio.open_connection(client.host, client.port)
        token = headers["X-Auth-Token"]
        head = f"POST {TAGGING} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        # In one piece, which aiohttp's parser refuses by itself.
        writer.write(head.encode() + start + b"zz\r\n\r\n")
        status = await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert status.split()[1] == b"400"
        assert tagging.calls == []
        assert not any(record.exc_info for record in caplog.records if record.name.startswith("gateway"))


class TestFailures:
    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (GatewayError(Reason.IMAGE_DAMAGED, "it is cut short"), "AIS.0503"),
            (GatewayError(Reason.UPSTREAM_INTERNAL, "hunter2"), "AIS.0505"),
            (GatewayError(Reason.INTERNAL, "hunter2"), "AIS.0506"),
            (ZeroDivisionError("hunter2"), "AIS.0506"),
            (ConnectionResetError("hunter2"), "AIS.0506"),  # not the client's connection
            (TimeoutError("hunter2"), "AIS.0506"),
        ],
    )
    async def test_each_has_its_code_and_leaves_a_trace_in_the_log(self, client, headers, tagging, caplog, error, code) -> None:
        caplog.set_level("INFO")
        tagging.error = error
        async with client.post(TAGGING, headers=headers, json={"url": URL}) as response:
            assert (response.status, (await response.json())["error_code"]) == (400, code)
            request_id = response.headers["X-Request-Id"]
            assert "hunter2" not in await response.text()
        (record,) = [record for record in caplog.records if record.getMessage().startswith(f"request {request_id} failed")]
        assert bool(record.exc_info) == (not isinstance(error, GatewayError))
        assert str(error) in caplog.text

    async def test_strangers_do_not_fill_the_log(self, client, headers, clock, caplog) -> None:
        async def lines(sent: dict[str, str], times: int) -> list[dict[str, int]]:
            caplog.clear()
            for _ in range(times):
                async with client.post(TAGGING, headers=sent, json={}) as response:
                    assert response.status in {400, 401}
            return [record.fields for record in caplog.records if " failed: " in record.getMessage()]

        caplog.set_level("WARNING")
        assert not await lines({}, 30)  # lines that nobody wants use up no ration
        caplog.set_level("INFO")
        assert len(await lines({}, 30)) == 20
        assert len(await lines(headers, 30)) == 30
        clock.now += 2
        assert await lines({"X-Auth-Token": "forged"}, 3) == [{"left_out": 10}, {}]

    @pytest.mark.parametrize("path", [DARK, "/v1.0/bgm/recognition"])
    async def test_what_was_not_foreseen_has_the_family_s_code(self, client, headers, enhancing, music, path) -> None:
        enhancing.error = music.error = RuntimeError("hunter2")
        body = {"url": URL} if "bgm" in path else {"image": "AAAA"}
        assert await refused(client, path=path, headers=headers, json=body) == (400, "AIS.0003")

    async def test_a_client_that_hangs_up_with_its_body_half_sent(self, settings, use_cases, clock, tagging, caplog, monkeypatch):
        hung_up = asyncio.Event()
        caplog.set_level("DEBUG", "gateway")
        monkeypatch.setattr(refusals._log, "debug", lambda *_: hung_up.set())
        runner = web.AppRunner(build_app(settings, use_cases, clock), handler_cancellation=False, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            _, writer = await asyncio.open_connection(*runner.addresses[0])
            options = signed(TAGGING, b"{}")
            lines = [f"{name}: {value}" for name, value in options["headers"].items() if name != "Content-Length"]
            head = "\r\n".join([f"POST {TAGGING} HTTP/1.1", *lines, "Content-Length: 2", "", ""])
            writer.write(head.encode() + b"{")
            writer.close()
            await writer.wait_closed()
            async with asyncio.timeout(5):
                await hung_up.wait()
        finally:
            await runner.cleanup()
        assert tagging.calls == []
        assert not any(record.levelname == "ERROR" for record in caplog.records if record.name.startswith("gateway"))

    async def test_work_for_a_client_that_hangs_up_is_dropped(self, settings, use_cases, clock, headers, client) -> None:
        begun, dropped = asyncio.Event(), asyncio.Event()

        async def wait(*_: object) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                dropped.set()

        async with TestClient(TestServer(build_app(settings, use_cases._replace(tag_image=wait), clock))) as other:
            async with other.post("/v3/auth/tokens", json=sign_in()) as response:
                token = response.headers["X-Subject-Token"]
            call = asyncio.create_task(other.post(TAGGING, headers={"X-Auth-Token": token}, json={"url": URL}).__aenter__())
            await begun.wait()
            call.cancel()
            await asyncio.wait_for(dropped.wait(), 5)


class TestFaultsAndRecordings:
    async def test_a_fault_on_purpose_is_named_and_comes_before_all_checks(self, settings, use_cases, clock, tagging) -> None:
        faults = FaultSettings(header=True)
        async with TestClient(TestServer(build_app(settings, use_cases, clock, faults=faults))) as client:
            assert await refused(client, headers={"X-Fault": "error=ModelArts.4704"}, json={}) == (400, "ModelArts.4704")
            status, document = await answer(client, path="/v3/auth/tokens", headers={"X-Fault": "throttle=7"}, json=sign_in())
            assert (status, document["error"]["code"]) == (429, 429)
            async with client.post("/v3/auth/tokens", headers={"X-Fault": "throttle=7"}, json=sign_in()) as response:
                assert response.headers["Retry-After"] == "7"
            # No operation, no fault.
            assert await refused(client, path="/nowhere", headers={"X-Fault": "error=AIS.0023"}) == (400, "APIG.0101")
        assert tagging.calls == []

    async def test_the_wait_for_a_late_answer_is_not_taken_for_a_slow_body(self, settings, use_cases, clock) -> None:
        short = settings.model_copy(update={"body_timeout": 0.05})
        faults = FaultSettings(inject="image-tagging: latency=0.2")
        async with TestClient(TestServer(build_app(short, use_cases, clock, faults=faults))) as client:
            async with client.post("/v3/auth/tokens", json=sign_in()) as response:
                token = response.headers["X-Subject-Token"]
            # More than the buffers of a connection hold, so that it cannot have come whole before it is read.
            body = io.BytesIO(json.dumps({"url": URL, "more": "x" * 8_000_000}).encode())
            status, _ = await answer(client, headers={"X-Auth-Token": token}, data=body)
        assert status == 200

    async def test_without_the_setting_the_header_means_nothing(self, client, headers) -> None:
        assert (await answer(client, headers=headers | {"X-Fault": "error=AIS.0023"}, json={"url": URL}))[0] == 200

    async def test_what_was_recorded_is_answered_without_work(self, settings, use_cases, clock, tagging, tmp_path) -> None:
        record = RecordSettings(mode="replay-or-record", folder=tmp_path)
        async with TestClient(TestServer(build_app(settings, use_cases, clock, record=record))) as client:
            async with client.post("/v3/auth/tokens", json=sign_in()) as response:
                headers = {"X-Auth-Token": response.headers["X-Subject-Token"]}
            answers = [await answer(client, headers=headers, json={"url": URL}) for _ in range(2)]
            assert await refused(client, json={"url": URL}) == (401, "APIG.0301")
        assert answers[0] == answers[1]
        assert len(tagging.calls) == 1

    def test_settings_that_cannot_be_used(self, settings, use_cases) -> None:
        with pytest.raises(RestConfigError, match="nonsense"):
            build_app(settings, use_cases, faults=FaultSettings(inject="nonsense: error=AIS.0206"))
