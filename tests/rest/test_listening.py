"""What reaches the face that is no proper HTTP, over a socket of one's own."""

import asyncio
import gzip
import json
import re

import aiohttp
import pytest

from gateway.rest.app import build_app
from gateway.rest.listening import listening

TAGGING = "/v2/p7/image/tagging"
REQUEST = f"POST {TAGGING} HTTP/1.1\r\nHost: here\r\n"


@pytest.fixture
async def port(settings, use_cases, clock):
    async with listening(build_app(settings, use_cases, clock), "127.0.0.1", 0) as bound:
        yield bound


async def answered(port: int, sent: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the reply."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent.encode("latin-1"))
    received = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    return int(line.split()[1]), {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}, body


@pytest.mark.parametrize(
    ("sent", "code", "told"),
    [
        ("FOO / HTTP/1.1\r\nHost: here\r\n\r\n", "AIS.0013", ""),
        ("\x16\x03\x01\x02\x00\x01", "AIS.0013", ""),  # TLS
        (f"POST {TAGGING} HTTP/1.1\r\n\r\n", "AIS.0010", "Host"),
        (REQUEST + "Host: there\r\n\r\n", "AIS.0010", "Host"),
        (REQUEST + "X-Auth-Token: hunter2\x00\r\n\r\n", "AIS.0010", "Invalid header value"),
        (REQUEST + f"X-Auth-Token: {'hunter2' * 10_000}\r\n\r\n", "AIS.0010", "65536 bytes"),
        (f"POST /{'a' * 70_000} HTTP/1.1\r\nHost: here\r\n\r\n", "AIS.0010", "65536 bytes"),
        (REQUEST + "Content-Length: hunter2\r\n\r\n", "AIS.0010", "Content-Length"),
        (REQUEST + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "AIS.0010", "Transfer-Encoding"),
    ],
)
async def test_it_is_refused_in_the_contracts_form(port, sent, code, told) -> None:
    status, headers, body = await answered(port, sent)
    document = json.loads(body)
    assert (status, document["error_code"]) == (400, code)
    assert document.keys() == {"error_code", "error_msg"}
    assert told in document["error_msg"]
    assert "hunter2" not in document["error_msg"]
    assert re.fullmatch(r"[0-9a-f]{32}", headers["x-request-id"])


async def test_an_expectation_that_nobody_knows_is_refused_under_an_id(port) -> None:
    status, headers, _ = await answered(
        port, REQUEST + "Expect: the-unexpected\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    assert status == 417
    assert re.fullmatch(r"[0-9a-f]{32}", headers["x-request-id"])


async def test_a_compressed_body_is_refused_and_never_unpacked(port, tagging) -> None:
    user = {"name": "ada", "password": "hunter2", "domain": {"name": "acme"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        sign_in = {"auth": {"identity": identity, "scope": {"project": {"name": "north"}}}}
        async with session.post("/v3/auth/tokens", json=sign_in) as response:
            headers = {"X-Auth-Token": response.headers["X-Subject-Token"]}
        picture = json.dumps({"image": "iVBORw0KGgo="}).encode()
        for coding in ("gzip", "zstd", "br", "gzip, identity", "x"):
            async with session.post(
                TAGGING, data=gzip.compress(picture), headers=headers | {"Content-Encoding": coding}
            ) as response:
                assert (await response.json())["error_code"] == "AIS.0014"
        assert not tagging.calls
        async with session.post(TAGGING, data=picture, headers=headers | {"Content-Encoding": "identity"}) as response:
            assert response.status == 200


async def test_the_address_is_free_again_at_the_end(settings, use_cases, clock) -> None:
    async with listening(build_app(settings, use_cases, clock), "127.0.0.1", 0) as bound:
        pass
    async with listening(build_app(settings, use_cases, clock), "127.0.0.1", bound) as again:
        assert again == bound


async def test_ipv6(settings, use_cases, clock) -> None:
    try:
        async with (
            listening(build_app(settings, use_cases, clock), "::1", 0) as bound,
            aiohttp.ClientSession() as session,
            session.get(f"http://[::1]:{bound}/openapi.json") as response,
        ):
            assert response.status == 200
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error.strerror}")


async def test_an_address_that_is_taken_is_told(port, settings, use_cases, clock) -> None:
    with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port} cannot be listened on: in use"):
        async with listening(build_app(settings, use_cases, clock), "127.0.0.1", port):
            pass
