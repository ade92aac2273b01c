import asyncio
import socket

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.telemetry import exporting
from gateway.telemetry.exporting import opened_tracing, read_headers
from gateway.telemetry.settings import TraceSettings


async def test_without_an_endpoint_nothing_is_traced() -> None:
    async with opened_tracing(TraceSettings(), "1") as tracing:
        assert tracing is None


@pytest.mark.parametrize(("ratio", "sampled"), [(0.0, 0), (1.0, 1)])
async def test_callers_decide_and_for_the_others_the_ratio(ratio, sampled) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"

    async def collect(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    async with TestServer(app) as collector:
        endpoint = f"http://127.0.0.1:{collector.port}"
        async with asyncio.timeout(20), opened_tracing(TraceSettings(endpoint=endpoint, ratio=ratio), "1") as tracing:
            assert tracing is not None
            for sent, expected in (({}, sampled), ({"traceparent": f"{parent}00"}, 0), ({"traceparent": f"{parent}01"}, 1)):
                with tracing.server_span("m", {}, sent):
                    assert int(tracing.headers()["traceparent"][-2:], 16) & 1 == expected


async def test_a_collector_that_is_not_there_is_nothing_to_calls(monkeypatch) -> None:
    monkeypatch.setattr(exporting, "_EXPORT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        endpoint = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    async with asyncio.timeout(20), opened_tracing(TraceSettings(endpoint=endpoint, ratio=1.0), "1") as tracing:
        assert tracing is not None
        with tracing.server_span("m", {}, {}):
            assert int(tracing.headers()["traceparent"][-2:], 16) & 1


def test_headers_are_read_from_a_file(tmp_path) -> None:
    file = tmp_path / "headers"
    file.write_text("# a comment\nAuthorization: Bearer a:b\n\nX-Scope: team\n")
    assert read_headers(file) == {"Authorization": "Bearer a:b", "X-Scope": "team"}
    assert read_headers(None) == {}


@pytest.mark.parametrize("content", [b"hunter2\n", b": hunter2\n", b"\xffhunter2"])
def test_what_is_no_header_is_refused_without_being_quoted(tmp_path, content) -> None:
    file = tmp_path / "headers"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="headers_file") as caught:
        read_headers(file)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ValueError, match="headers_file"):
        read_headers(tmp_path / "missing")
