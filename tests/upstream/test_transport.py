import asyncio
import contextlib
import socket
import struct

import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream import transport
from gateway.upstream.transport import _TRANSLATIONS, MAX_BODY_BYTES, Transport

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-request-id: abc\r\n\r\n{}"


@pytest.fixture
async def client():
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=2)) as opened:
        yield opened


async def refusal(client: Transport, url: str, body: bytes = b"{}") -> GatewayError:
    """The error of one call, which must show neither the URL's nor the headers' secrets."""
    with pytest.raises(GatewayError) as caught:
        await client.post(f"{url}/?hunter2", headers={"X-Auth-Token": "hunter3"}, body=body)
    assert "hunter" not in str(caught.value)
    return caught.value


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection by RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_a_reply_is_handed_on_whole_whatever_its_status(client, raw) -> None:
    raw.answers(b"HTTP/1.1 418 No\r\nX-REQUEST-ID: abc\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nhello")
    reply = await client.post(f"{raw.url}/path?a=b", headers={"X-Auth-Token": "t"}, body=b"{}")
    assert (reply.status, reply.body, reply.request_id, reply.headers["retry-after"]) == (418, b"hello", "abc", "1")
    head = raw.heads[0].decode()
    assert head.startswith("POST /path?a=b HTTP/1.1\r\n")
    assert "Content-Type: application/json\r\n" in head
    assert "X-Auth-Token: t\r\n" in head


async def test_a_reply_without_an_id(client, raw) -> None:
    raw.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert (await client.post(raw.url, headers={}, body=b"")).request_id == ""


async def test_an_id_that_is_none_is_made_one(client, raw) -> None:
    """It goes into messages and statuses, which hold text only."""
    raw.answers(b"HTTP/1.1 200 OK\r\nX-Request-Id: a\xff\tb" + b"c" * 500 + b"\r\nContent-Length: 0\r\n\r\n")
    request_id = (await client.post(raw.url, headers={}, body=b"")).request_id
    assert request_id.startswith("abc")
    assert request_id.isascii()
    assert len(request_id) <= 128


async def test_headers_of_many_kilobytes_are_read(client, raw) -> None:
    token = b"t" * 20_000
    raw.answers(b"HTTP/1.1 201 Created\r\nX-Subject-Token: " + token + b"\r\nContent-Length: 0\r\n\r\n")
    assert (await client.post(raw.url, headers={}, body=b"")).headers["X-Subject-Token"] == token.decode()


async def test_any_answer_at_all_shows_that_somebody_is_there(client, raw) -> None:
    raw.answers(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    await client.reach(raw.url)
    assert raw.heads[0].startswith(b"HEAD / ")


async def test_nobody_listens(client) -> None:
    with socket.socket() as taken:  # bound, so that nobody else gets the port, but not listening
        taken.bind(("127.0.0.1", 0))
        error = await refusal(client, f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (error.reason, error.message) == (Reason.UPSTREAM_UNAVAILABLE, "no connection to the cloud could be made")


async def test_a_name_that_does_not_exist(client, monkeypatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    assert (await refusal(client, "http://cloud.invalid")).reason is Reason.UPSTREAM_UNAVAILABLE


async def test_an_endpoint_that_is_no_url(client) -> None:
    error = await refusal(client, "http://localhost:99999")
    assert (error.reason, error.message) == (Reason.UPSTREAM_NOT_FOUND, "the configured endpoint is not a usable URL")


async def test_no_connection_in_time(raw, monkeypatch) -> None:
    async def stuck(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", stuck)
    async with contextlib.aclosing(Transport(connect_timeout=0.05, timeout=10, pool_size=1)) as client:
        error = await refusal(client, raw.url)
    assert (error.reason, error.message) == (Reason.UPSTREAM_UNAVAILABLE, "no connection to the cloud could be made in time")


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
async def test_no_answer_in_time(raw, sent) -> None:
    async def stuck(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await asyncio.Event().wait()

    raw.behaviour = stuck
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=0.1, pool_size=1)) as client:
        error = await refusal(client, raw.url)
    assert (error.reason, error.message) == (Reason.UPSTREAM_TIMEOUT, "the cloud did not answer in time")


@pytest.mark.parametrize("ending", ["closed", "reset"])
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
async def test_a_connection_that_breaks(client, raw, sent, ending) -> None:
    async def broken(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        if ending == "reset":
            reset(writer)

    raw.behaviour = broken
    assert (await refusal(client, raw.url)).reason is Reason.UPSTREAM_UNAVAILABLE
    assert len(raw.heads) == 1  # never sent twice: the work may have been done and billed


async def test_a_chunked_reply_that_breaks(client, raw) -> None:
    raw.answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    error = await refusal(client, raw.url)
    assert (error.reason, error.message) == (Reason.UPSTREAM_UNAVAILABLE, "the connection broke while the cloud answered")


async def test_a_kept_connection_that_was_closed_meanwhile_does_not_send_twice(client, raw) -> None:
    async def answer_one_and_read_another(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")

    raw.behaviour = answer_one_and_read_another
    await client.post(raw.url, headers={}, body=b"{}")
    assert (await refusal(client, raw.url)).reason is Reason.UPSTREAM_UNAVAILABLE
    assert len(raw.heads) == 1


@pytest.mark.parametrize(
    "sent",
    [b"<html><body>It works!</body></html>\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"],
)
async def test_what_is_not_http(client, raw, sent) -> None:
    raw.answers(sent)
    error = await refusal(client, raw.url)
    assert (error.reason, error.message) == (Reason.UPSTREAM_BAD_RESPONSE, "the cloud's reply is not valid HTTP")


@pytest.mark.parametrize("length", [b"Content-Length: 4097\r\n", b""])
async def test_a_reply_over_the_limit_is_not_buffered(client, raw, monkeypatch, length) -> None:
    monkeypatch.setattr(transport, "MAX_REPLY_BYTES", 4096)
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + length + b"\r\n"
    raw.answers(head, bytes(4097))
    assert (await refusal(client, raw.url)).reason is Reason.UPSTREAM_BAD_RESPONSE
    raw.answers(head.replace(b"4097", b"4096"), *[bytes(512)] * 8)
    assert (await client.post(raw.url, headers={}, body=b"")).body == bytes(4096)


async def test_a_redirect_is_an_answer_like_any_other(client, raw) -> None:
    raw.answers(f"HTTP/1.1 307 Moved\r\nLocation: {raw.url}/elsewhere\r\nContent-Length: 0\r\n\r\n".encode())
    assert (await client.post(raw.url, headers={"X-Auth-Token": "t"}, body=b"")).status == 307
    assert len(raw.heads) == 1


async def test_cookies_are_not_kept(client, raw) -> None:
    raw.answers(OK.replace(b"x-request-id: abc", b"Connection: close\r\nSet-Cookie: a=b"))
    for _ in range(2):
        await client.post(raw.url.replace("127.0.0.1", "localhost"), headers={}, body=b"")
    assert b"ookie" not in raw.heads[1]


async def test_a_body_of_12_mb_is_refused_before_anything_is_sent(client, raw) -> None:
    error = await refusal(client, raw.url, bytes(MAX_BODY_BYTES))
    assert (error.reason, error.measured, error.allowed) == (Reason.IMAGE_TOO_LARGE, "12000000 bytes", "under 12000000 bytes")
    assert raw.heads == []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(MAX_BODY_BYTES - 1)
        writer.write(OK)

    raw.behaviour = count
    assert (await client.post(raw.url, headers={}, body=bytes(MAX_BODY_BYTES - 1))).status == 200


def test_no_translation_hides_a_later_one() -> None:
    kinds = [kind for kind, _, _ in _TRANSLATIONS]
    assert not [(late, early) for at, late in enumerate(kinds) for early in kinds[:at] if issubclass(late, early)]
