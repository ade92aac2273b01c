import asyncio
import contextlib
import socket
import ssl
import struct
import traceback
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.errors import GatewayError, Reason
from gateway.upstream import transport
from gateway.upstream.connection import STALE_SECONDS
from gateway.upstream.outcome import Billed, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.transport import MAX_BODY_BYTES, Transport, check_length

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx-request-id: abc\r\n\r\n{}"


class Clock:
    """Stands still unless it is moved: however slow the machine, what breaks at once breaks at once."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def client():
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=2, monotonic=Clock())) as opened:
        yield opened


@pytest.fixture
def self_signed(tmp_path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = tmp_path / "server.pem"
    file.write_bytes(
        certificate.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def refusal(client: Transport, url: str, body: bytes = b"{}") -> GatewayError:
    """The error of one call, which must show neither the URL's nor the headers' secrets."""
    attempt = await client.send(replace(posted(url, body), query=(("hunter2", ""),)), {"X-Auth-Token": "hunter3"})
    assert attempt.reply is None
    assert "hunter" not in "".join(traceback.format_exception(attempt.error)) + repr(attempt)
    return attempt.error


def posted(url: str, body: bytes = b"{}") -> Outgoing:
    return Outgoing("POST", url, headers={"Content-Type": "application/json"}, body=body)


def reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection by RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_a_reply_is_handed_on_whole_whatever_its_status(client, raw) -> None:
    raw.answers(b"HTTP/1.1 418 No\r\nX-REQUEST-ID: abc\r\nRetry-After: 1\r\nContent-Length: 5\r\n\r\nhello")
    reply = (await client.send(posted(f"{raw.url}/path"), {"X-Auth-Token": "t"})).reply
    assert (reply.status, reply.body, reply.request_id, reply.headers["retry-after"]) == (418, b"hello", "abc", "1")
    head = raw.heads[0].decode()
    assert head.startswith("POST /path HTTP/1.1\r\n")
    assert "Content-Type: application/json\r\n" in head
    assert "X-Auth-Token: t\r\n" in head


async def test_a_reply_without_an_id(client, raw) -> None:
    raw.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert (await client.send(posted(raw.url, b""), {})).reply.request_id == ""


async def test_an_id_that_is_none_is_made_one(client, raw) -> None:
    """It goes into messages and statuses, which hold text only."""
    raw.answers(b"HTTP/1.1 200 OK\r\nX-Request-Id: a\xff\tb" + b"c" * 500 + b"\r\nContent-Length: 0\r\n\r\n")
    request_id = (await client.send(posted(raw.url, b""), {})).reply.request_id
    assert request_id.startswith("abc")
    assert request_id.isascii()
    assert len(request_id) <= 128


async def test_headers_of_many_kilobytes_are_read(client, raw) -> None:
    token = b"t" * 20_000
    raw.answers(b"HTTP/1.1 201 Created\r\nX-Subject-Token: " + token + b"\r\nContent-Length: 0\r\n\r\n")
    assert (await client.send(posted(raw.url, b""), {})).reply.headers["X-Subject-Token"] == token.decode()


async def test_any_answer_at_all_shows_that_somebody_is_there(client, raw) -> None:
    raw.answers(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    await client.reach(raw.url)
    assert raw.heads[0].startswith(b"HEAD / ")


async def test_nobody_listens(client) -> None:
    with socket.socket() as taken:  # bound, so that nobody else gets the port, but not listening
        taken.bind(("127.0.0.1", 0))
        error = await refusal(client, f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (error.reason, error.message) == (Reason.UPSTREAM_UNAVAILABLE, "no connection to the cloud could be made")
    assert str(error.__cause__) == "ClientConnectorError (ECONNREFUSED)"


async def test_a_name_that_does_not_exist(client, monkeypatch) -> None:
    async def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    assert (await refusal(client, "http://cloud.invalid")).reason is Reason.UPSTREAM_UNAVAILABLE


@pytest.mark.parametrize(
    "url", ["http://localhost:99999", "http://localhost:x", "http://", "ftp://localhost", "localhost", "http://[x"]
)
async def test_an_endpoint_that_is_no_url(client, url) -> None:
    error = await refusal(client, url)
    assert (error.reason, error.message) == (Reason.UPSTREAM_NOT_FOUND, "the configured endpoint is not a usable URL")
    assert (await client.send(posted(url), {})).outcome is Outcome.REFUSED  # so it is not tried again, and suspends nothing


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
    assert (await refusal(client, raw.url)).reason is Reason.UPSTREAM_REPLY_LOST
    assert len(raw.heads) == 1  # never sent twice: the work may have been done and billed


async def test_a_chunked_reply_that_breaks(client, raw) -> None:
    raw.answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    error = await refusal(client, raw.url)
    assert (error.reason, error.message) == (Reason.UPSTREAM_REPLY_LOST, "the connection broke while the cloud answered")


async def test_a_kept_connection_that_was_closed_meanwhile_does_not_send_twice(client, raw) -> None:
    async def answer_one_and_read_another(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")

    raw.behaviour = answer_one_and_read_another
    await client.send(posted(raw.url), {})
    attempt = await client.send(posted(raw.url), {})
    assert (attempt.outcome, attempt.error.reason) == (Outcome.STALE, Reason.UPSTREAM_UNAVAILABLE)
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
    assert (await client.send(posted(raw.url, b""), {})).reply.body == bytes(4096)


async def test_a_redirect_is_not_followed(client, raw) -> None:
    raw.answers(f"HTTP/1.1 307 Moved\r\nLocation: {raw.url}/elsewhere\r\nContent-Length: 0\r\n\r\n".encode())
    attempt = await client.send(posted(raw.url), {"X-Auth-Token": "t"})
    assert (attempt.outcome, attempt.reply.status) == (Outcome.MALFORMED, 307)
    assert len(raw.heads) == 1


async def test_cookies_are_not_kept(client, raw) -> None:
    raw.answers(OK.replace(b"x-request-id: abc", b"Connection: close\r\nSet-Cookie: a=b"))
    for _ in range(2):
        await client.send(posted(raw.url.replace("127.0.0.1", "localhost")), {})
    assert b"ookie" not in raw.heads[1]


async def test_less_than_12_mb_may_be_sent(client, raw) -> None:
    with pytest.raises(GatewayError) as caught:
        check_length(MAX_BODY_BYTES)
    error = caught.value
    assert (error.reason, error.measured, error.allowed) == (Reason.IMAGE_TOO_LARGE, "12000000 bytes", "under 12000000 bytes")
    check_length(MAX_BODY_BYTES - 1)

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(MAX_BODY_BYTES - 1)
        writer.write(OK)

    raw.behaviour = count
    assert (await client.send(posted(raw.url, bytes(MAX_BODY_BYTES - 1)), {})).reply.status == 200


async def test_what_is_sent_is_what_was_meant(client, raw) -> None:
    raw.answers(OK)
    outgoing = Outgoing("GET", f"{raw.url}/v3/projects", (("name", "a b/树"),), {"X-A": "1", "X-B": "1"})
    attempt = await client.send(outgoing, {"X-B": "2"})
    assert (attempt.outcome, attempt.reply.body, attempt.error) == (Outcome.SUCCESS, b"{}", None)
    head = raw.heads[0].decode()
    assert head.startswith(f"GET {outgoing.path}?name=a%20b%2F%E6%A0%91 HTTP/1.1\r\n")
    assert f"Host: {outgoing.host}\r\n" in head
    assert "X-A: 1\r\nX-B: 2\r\n" in head


@pytest.mark.parametrize("ending", ["closed", "reset"])
@pytest.mark.parametrize(("sent", "outcome"), [(b"", Outcome.STALE), (b"HTTP", Outcome.LOST), (OK[:-1], Outcome.LOST)])
async def test_one_byte_of_a_reply_is_enough_for_it_to_be_lost(client, raw, sent, outcome, ending) -> None:
    async def answer_one_and_begin_another(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(2)
        writer.write(sent)
        await writer.drain()
        if ending == "reset":
            reset(writer)

    raw.behaviour = answer_one_and_begin_another
    await client.send(posted(raw.url), {})
    attempt = await client.send(posted(raw.url), {})
    assert (attempt.outcome, attempt.reply) == (outcome, None)


async def test_a_request_that_nobody_took_whole_was_not_done(client, raw) -> None:
    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reset(writer)

    raw.behaviour = deaf
    attempt = await client.send(posted(raw.url, bytes(MAX_BODY_BYTES - 1)), {})
    assert (attempt.outcome, attempt.error.reason) == (Outcome.NOT_SENT, Reason.UPSTREAM_UNAVAILABLE)


@pytest.mark.parametrize("ending", ["closed", "reset"])
@pytest.mark.parametrize(("after", "outcome"), [(0.99 * STALE_SECONDS, Outcome.STALE), (STALE_SECONDS, Outcome.LOST)])
async def test_a_kept_connection_that_breaks_late_was_not_closed_before(raw, after, outcome, ending) -> None:
    """The server had the request for longer than a round trip takes, and may have worked on it."""
    clock = Clock()

    async def answer_one_and_work_on_another(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(2)
        clock.now += after
        if ending == "reset":
            reset(writer)

    raw.behaviour = answer_one_and_work_on_another
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=2, monotonic=clock)) as client:
        await client.send(posted(raw.url), {})
        clock.now += 60
        attempt = await client.send(posted(raw.url), {})
    assert (attempt.outcome, attempt.billed) == (outcome, Billed.MAYBE)


@pytest.mark.parametrize(("after", "outcome"), [(0.0, Outcome.STALE), (STALE_SECONDS, Outcome.NOT_SENT)])
async def test_what_did_not_go_out_whole_on_a_kept_connection_was_not_done(raw, after, outcome) -> None:
    clock = Clock()

    async def answer_one_and_turn_deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        clock.now += after
        reset(writer)

    raw.behaviour = answer_one_and_turn_deaf
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=2, monotonic=clock)) as client:
        await client.send(posted(raw.url), {})
        attempt = await client.send(posted(raw.url, bytes(MAX_BODY_BYTES - 1)), {})
    assert attempt.outcome is outcome


async def test_a_request_that_nobody_takes_in_time_was_not_done(client, raw) -> None:
    async def stuck(*_: object) -> None:
        await asyncio.Event().wait()

    raw.behaviour = stuck
    attempt = await client.send(posted(raw.url, bytes(MAX_BODY_BYTES - 1)), {}, timeout=0.2)
    assert (attempt.outcome, attempt.error.message) == (Outcome.NOT_SENT, "the cloud did not take the whole request in time")


async def test_the_shorter_limit_holds(raw) -> None:
    async def stuck(*_: object) -> None:
        await asyncio.Event().wait()

    raw.behaviour = stuck
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=0.1, pool_size=1)) as client:
        attempt = await client.send(posted(raw.url), {}, timeout=60)
    assert (attempt.outcome, attempt.error.reason) == (Outcome.LOST, Reason.UPSTREAM_TIMEOUT)


@pytest.mark.parametrize("timeout", [0.0, -1.0])
async def test_no_time_at_all(client, raw, timeout) -> None:
    attempt = await client.send(posted(raw.url), {}, timeout=timeout)
    assert (attempt.outcome, attempt.error.reason) == (Outcome.NOT_SENT, Reason.UPSTREAM_UNAVAILABLE)
    assert raw.heads == []


async def test_cancelling_closes_the_connection(client, raw) -> None:
    closed = asyncio.Event()
    arrived = asyncio.Event()

    async def until_closed(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()
        closed.set()

    raw.behaviour = until_closed
    call = asyncio.create_task(client.send(posted(raw.url), {}))
    async with asyncio.timeout(5):
        await arrived.wait()
        call.cancel()
        await closed.wait()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_header_that_http_cannot_carry(client, raw) -> None:
    attempt = await client.send(posted(raw.url), {"X-Auth-Token": "hunter2\r\nHost: elsewhere"})
    assert (attempt.outcome, attempt.error.reason) == (Outcome.REFUSED, Reason.INTERNAL)
    assert "hunter2" not in attempt.error.message
    assert raw.heads == []


async def test_a_certificate_that_nobody_vouches_for(client, self_signed) -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=self_signed)
    async with server:
        attempt = await client.send(posted(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"), {})
    assert (attempt.outcome, attempt.error.reason) == (Outcome.NOT_SENT, Reason.UPSTREAM_UNAVAILABLE)
    assert attempt.error.message == "the cloud's TLS certificate is not trusted, or not for its name"


async def test_a_server_that_does_not_speak_tls(client, raw) -> None:
    async def plain(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        attempt = await client.send(posted(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"), {})
    assert (attempt.outcome, attempt.error.message) == (Outcome.NOT_SENT, "no TLS connection to the cloud could be made")


async def test_calls_that_take_turns_on_one_connection_get_each_their_own_reply(raw) -> None:
    answers = iter(range(100))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readexactly(2)
            body = b"{%d}" % next(answers)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await reader.readuntil(b"\r\n\r\n")

    raw.behaviour = answer
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=-1)) as narrow:  # one connection
        attempts = await asyncio.gather(*(narrow.send(posted(raw.url), {}) for _ in range(20)))
    assert sorted(int(attempt.reply.body[1:-1]) for attempt in attempts) == list(range(20))
    assert len(raw.heads) == 1


async def test_after_a_stale_connection_comes_a_fresh_one(raw) -> None:
    """Not the next of those that were kept as long, and were closed as well."""
    kept = asyncio.Barrier(3)

    async def answer_one_and_close_on_another(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(2)
        if len(raw.heads) <= 3:
            await kept.wait()
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")

    raw.behaviour = answer_one_and_close_on_another
    async with contextlib.aclosing(Transport(connect_timeout=5, timeout=10, pool_size=2, monotonic=Clock())) as client:
        await asyncio.gather(*(client.send(posted(raw.url), {}) for _ in range(3)))
        outcomes = [(await client.send(posted(raw.url), {})).outcome for _ in range(2)]
    assert outcomes == [Outcome.STALE, Outcome.SUCCESS]
    assert len(raw.heads) == 4
