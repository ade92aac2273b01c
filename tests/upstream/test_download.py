import asyncio
import contextlib
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from yarl import URL

from gateway.errors import GatewayError, Reason
from gateway.upstream.download import Downloader
from gateway.upstream.settings import DownloadSettings

PICTURE = b"picture " * 1000


async def fetched(uri: str, **settings: object) -> bytes:
    async with contextlib.aclosing(Downloader(DownloadSettings(**settings))) as downloader:
        return await downloader.fetch(uri)


async def refusal(uri: str, **settings: object) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await fetched(uri, **settings)
    assert "hunter2" not in caught.value.message
    assert caught.value.field == "uri"
    return caught.value


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.fixture
def names(monkeypatch):
    """Addresses of names, as the system's resolver would tell them, and the names that were asked for."""
    table: dict[str, list[str]] = {}
    asked: list[str] = []

    def getaddrinfo(host, port, *_):
        asked.append(host)
        if host not in table:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [
            (socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in table[host]
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    table["asked"] = asked
    return table


@pytest.fixture
async def connected(monkeypatch) -> list[object]:
    """The addresses that a connection was tried to; none succeeds."""
    addresses: list[object] = []

    async def refuse(_: socket.socket, address: object) -> None:
        addresses.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refuse)
    return addresses


NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104  # nothing is bound
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::10.0.0.1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2606:4700::1111%25lo",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_an_address_that_is_not_public_is_refused_in_the_url_and_behind_a_name(address, names, connected) -> None:
    literal = f"[{address}]" if ":" in address else address
    names["somewhere.example"] = ["8.8.8.8", address.replace("%25", "%")]
    for host in (literal, "somewhere.example"):
        assert (await refusal(f"http://{host}/cat.jpg?hunter2")).reason is Reason.URI_FORBIDDEN
    assert connected == []


# Other ways to write 127.0.0.1, which the system's resolver understands.
@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "①②⑦.0.0.1",
        "127。0。0。1",
        "localhost",
        "[::1%25lo]",
    ],
)
async def test_no_spelling_of_loopback_is_connected_to(host, raw) -> None:
    raw.answers(ok(PICTURE))
    error = await refusal(f"http://{host}:{raw.port}/")
    assert error.reason is Reason.URI_FORBIDDEN
    assert raw.heads == []


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
async def test_a_public_address_is_connected_to_as_it_was_checked(address, names, connected) -> None:
    names["somewhere.example"] = [address]
    assert (await refusal("http://somewhere.example:81/")).reason is Reason.URI_DOWNLOAD_FAILED
    assert [(where[0], where[1]) for where in connected] == [(address, 81)]
    assert names["asked"] == ["somewhere.example"]  # once: a second answer would not have been checked


async def test_a_name_that_does_not_exist(names) -> None:
    assert (await refusal("http://nowhere.example/hunter2")).reason is Reason.URI_DOWNLOAD_FAILED


@pytest.mark.parametrize("uri", ["", "ftp://example.org/", "https://u:hunter2@example.org/"])
async def test_a_url_that_cannot_be_used(uri) -> None:
    assert (await refusal(uri)).reason is Reason.URI_INVALID


async def test_a_picture_from_loopback_where_that_is_allowed(raw) -> None:
    raw.answers(ok(PICTURE))
    assert await fetched(f"{raw.url}/cat.jpg?a=b%2Bc", allow_private=True) == PICTURE
    head = raw.heads[0].decode()
    assert head.startswith("GET /cat.jpg?a=b%2Bc HTTP/1.1\r\n")
    assert "Accept-Encoding: identity\r\n" in head  # what comes compressed would not be a picture


@pytest.mark.parametrize(
    "entry", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1:{port}", "127.0.0.0/30:{port}", "10.0.0.0/8, 127.0.0.1"]
)
@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "inside.example"])
async def test_what_the_list_allows_is_reached_by_address_and_by_name(raw, names, entry, host) -> None:
    names["inside.example"] = ["127.0.0.1"]
    raw.answers(ok(PICTURE))
    assert await fetched(f"http://{host}:{raw.port}/cat.jpg", allow=entry.format(port=raw.port)) == PICTURE


@pytest.mark.parametrize("entry", ["inside.example", "Inside.Example:{port}"])
@pytest.mark.parametrize("host", ["inside.example", "INSIDE.example."])
async def test_a_name_on_the_list_is_reached_wherever_it_leads(raw, names, entry, host) -> None:
    names |= {"inside.example": ["127.0.0.1"], "inside.example.": ["127.0.0.1"]}
    raw.answers(ok(PICTURE))
    assert await fetched(f"http://{host}:{raw.port}/", allow=entry.format(port=raw.port)) == PICTURE


@pytest.mark.parametrize(
    ("host", "entry"),
    [
        ("127.0.0.1", "127.0.0.2"),
        ("127.0.0.1", "127.0.0.1:1"),
        ("127.0.0.1", "inside.example"),  # the name is let in, not what it stands for
        ("127.1", "127.0.0.0/8"),
        ("other.example", "inside.example"),
        ("inside.example", "127.0.0.0/31"),  # its second address is not allowed
        ("inside.example", "10.0.0.0/8"),
        ("[::1]", "127.0.0.0/8"),
    ],
)
async def test_what_the_list_does_not_allow_stays_out_of_reach(raw, names, host, entry) -> None:
    names |= {"inside.example": ["127.0.0.1", "10.0.0.1"], "other.example": ["127.0.0.1"]}
    assert (await refusal(f"http://{host}:{raw.port}/", allow=entry)).reason is Reason.URI_FORBIDDEN
    assert raw.heads == []


async def test_a_redirect_off_the_list_is_refused(raw) -> None:
    raw.answers(redirect("http://127.0.0.2/"))
    assert (await refusal(raw.url, allow="127.0.0.1")).reason is Reason.URI_FORBIDDEN
    assert len(raw.heads) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed_up_to_the_limit(raw, status) -> None:
    async def hop(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = int(raw.heads[-1].split()[1].lstrip(b"/"))
        writer.write(redirect(f"/{left - 1}", status) if left else ok(PICTURE))

    raw.behaviour = hop
    assert await fetched(f"{raw.url}/2", allow_private=True, max_redirects=2) == PICTURE
    error = await refusal(f"{raw.url}/3", allow_private=True, max_redirects=2)
    assert (error.reason, "more than 2 redirects" in error.message) == (Reason.URI_DOWNLOAD_FAILED, True)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://169.254.169.254/latest/meta-data", Reason.URI_FORBIDDEN),
        ("http://inside.example/", Reason.URI_FORBIDDEN),
        ("//[::1]/", Reason.URI_FORBIDDEN),
        ("http://127.1/", Reason.URI_FORBIDDEN),
        ("ftp://somewhere.example/", Reason.URI_INVALID),
        ("file:///etc/passwd", Reason.URI_INVALID),
        ("http://u:hunter2@somewhere.example/", Reason.URI_INVALID),
        ("/" + "a" * 4096, Reason.URI_INVALID),
        ("http://[::1", Reason.URI_INVALID),
        ("http://somewhere.example:99999/", Reason.URI_INVALID),
        ("http://2130706433/", Reason.URI_FORBIDDEN),
        ("http://0x7f.1/", Reason.URI_FORBIDDEN),
        ("http://inside.example./", Reason.URI_FORBIDDEN),
    ],
)
async def test_a_redirect_is_checked_like_the_first_address(raw, names, monkeypatch, location, reason) -> None:
    names |= {"outside.example": ["8.8.8.8"], "inside.example": ["10.0.0.1"], "inside.example.": ["10.0.0.1"]}
    names |= {"0x7f.1": ["127.0.0.1"]}
    loop = asyncio.get_running_loop()
    connect = loop.sock_connect
    # The public address is played by the server on loopback.
    monkeypatch.setattr(loop, "sock_connect", lambda sock, _: connect(sock, ("127.0.0.1", raw.port)))
    raw.answers(redirect(location))
    assert (await refusal("http://outside.example/cat.jpg")).reason is reason
    assert len(raw.heads) == 1


async def test_a_redirect_out_of_https_is_refused(monkeypatch) -> None:
    @contextlib.asynccontextmanager
    async def get(_: object, url: URL, **__: object):
        assert url.scheme == "https"
        yield SimpleNamespace(status=302, headers={"Location": "http://8.8.8.8/hunter2"})

    monkeypatch.setattr(aiohttp.ClientSession, "get", get)
    error = await refusal("https://8.8.8.8/")
    assert (error.reason, "from https on to http" in error.message) == (Reason.URI_FORBIDDEN, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\na",
        b"<html>",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
    ],
)
async def test_an_answer_without_a_picture(raw, answer) -> None:
    raw.answers(answer)
    assert (await refusal(f"{raw.url}/hunter2", allow_private=True)).reason is Reason.URI_DOWNLOAD_FAILED


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "zstd", "identity, gzip"])
async def test_what_comes_compressed_is_refused_and_not_unpacked(raw, coding) -> None:
    raw.answers(ok(b"\x1f\x8b bomb", f"Content-Encoding: {coding}"))
    error = await refusal(raw.url, allow_private=True)
    assert (error.reason, error.measured) == (Reason.URI_DOWNLOAD_FAILED, f"Content-Encoding: {coding.lower().split()[-1]}")


@pytest.mark.parametrize("coding", ["", "identity", "base64", "utf-8"])
async def test_what_only_claims_to_be_encoded_is_taken_as_it_is(raw, coding) -> None:
    raw.answers(ok(PICTURE, f"Content-Encoding: {coding}"))
    assert await fetched(raw.url, allow_private=True) == PICTURE


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html; charset=utf-8", b"<p>Sign in"),
        ("text/html", b"\xef\xbb\xbf\r\n <!-- -->" + bytes(1000)),
        ("application/octet-stream", b"<!DOCTYPE html><p>Not found"),
        ("image/jpeg", b"\n<HTML>" + b" " * 1000),
        ("application/json", b'{"error": "hunter2"}'),
        ("application/xml", b"<?xml version='1.0'?><Error/>"),
    ],
)
async def test_a_page_instead_of_a_picture_is_named_so(raw, kind, body) -> None:
    raw.answers(ok(body, f"Content-Type: {kind}"))
    error = await refusal(raw.url, allow_private=True)
    assert (error.reason, "is a page or a message" in error.message) == (Reason.URI_DOWNLOAD_FAILED, True)
    assert error.measured == ("text/html" if b"html" in body.lower() else kind.partition(";")[0])


async def test_a_page_is_recognised_in_pieces(raw) -> None:
    async def pieces(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
        for byte in b"\n<html>":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.005)

    raw.behaviour = pieces
    assert "is a page" in (await refusal(raw.url, allow_private=True)).message


async def test_a_page_is_not_read_to_its_end(raw) -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>" + b" " * 600)
        await asyncio.Event().wait()

    raw.behaviour = endless
    async with asyncio.timeout(5):
        assert "is a page" in (await refusal(raw.url, allow_private=True, timeout=10)).message


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/json", "nonsense"])
@pytest.mark.parametrize("body", [PICTURE, b"\xff\xd8", b""])
async def test_a_picture_is_taken_whatever_the_server_calls_it(raw, kind, body) -> None:
    raw.answers(ok(body, f"Content-Type: {kind}"))
    assert await fetched(raw.url, allow_private=True) == body


async def test_the_limit_of_size(raw) -> None:
    size = len(PICTURE)
    raw.answers(ok(PICTURE))
    assert await fetched(raw.url, allow_private=True, max_bytes=size) == PICTURE
    error = await refusal(raw.url, allow_private=True, max_bytes=size - 1)
    assert (error.reason, error.measured, error.allowed) == (Reason.IMAGE_TOO_LARGE, "8000 bytes", "at most 7999 bytes")


async def test_a_limit_of_one_download_replaces_the_one_of_the_settings(raw) -> None:
    raw.answers(ok(PICTURE))
    async with contextlib.aclosing(Downloader(DownloadSettings(allow_private=True, max_bytes=1))) as downloader:
        assert await downloader.fetch(raw.url, max_bytes=len(PICTURE)) == PICTURE
        with pytest.raises(GatewayError) as caught:
            await downloader.fetch(raw.url, max_bytes=len(PICTURE) - 1)
    assert (caught.value.reason, caught.value.allowed) == (Reason.IMAGE_TOO_LARGE, "at most 7999 bytes")


async def test_an_endless_picture_is_cut_off(raw) -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    raw.behaviour = endless
    error = await refusal(raw.url, allow_private=True, max_bytes=1 << 20)
    assert (error.reason, error.measured) == (Reason.IMAGE_TOO_LARGE, "more than 1048576 bytes")


async def test_a_picture_in_chunks_is_cut_off_too(raw) -> None:
    chunk = b"3e8\r\n" + bytes(1000) + b"\r\n"
    raw.answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 8, b"0\r\n\r\n")
    assert await fetched(raw.url, allow_private=True, max_bytes=8000) == bytes(8000)
    error = await refusal(raw.url, allow_private=True, max_bytes=7999)
    assert (error.reason, error.measured) == (Reason.IMAGE_TOO_LARGE, "more than 7999 bytes")


async def test_one_time_limit_holds_for_all_hops(raw) -> None:
    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(raw.heads) == 1:
            writer.write(redirect("/next"))
            return
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:  # bytes keep coming: an idle limit would never strike
            writer.write(b"a")
            await asyncio.sleep(0.01)

    raw.behaviour = slow
    async with asyncio.timeout(5):
        error = await refusal(raw.url, allow_private=True, timeout=0.15)
    assert (error.reason, "longer than 0.15 s" in error.message) == (Reason.URI_DOWNLOAD_FAILED, True)


async def test_a_cancelled_download_stays_cancelled(raw) -> None:
    started = asyncio.Event()

    async def stuck(*_: object) -> None:
        started.set()
        await asyncio.Event().wait()

    raw.behaviour = stuck
    task = asyncio.create_task(fetched(raw.url, allow_private=True))
    await asyncio.wait_for(started.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_so_many_downloads_at_once_and_the_others_in_order_of_arrival(raw) -> None:
    gates: dict[str, asyncio.Event] = {name: asyncio.Event() for name in "abcd"}
    arrived: asyncio.Queue[str] = asyncio.Queue()

    async def gated(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = raw.heads[-1].split()[1].decode().strip("/")
        arrived.put_nowait(name)
        await gates[name].wait()
        writer.write(ok(name.encode()))

    raw.behaviour = gated
    settings = DownloadSettings(allow_private=True, concurrency=1)
    async with asyncio.timeout(5), contextlib.aclosing(Downloader(settings)) as downloader:
        a, b, c, d = (asyncio.create_task(downloader.fetch(f"{raw.url}/{name}")) for name in "abcd")
        assert await arrived.get() == "a"
        b.cancel()  # while it waits: its turn passes to the next
        gates["a"].set()
        assert await a == b"a"
        assert await arrived.get() == "c"
        assert arrived.empty()
        c.cancel()  # while it downloads
        assert await arrived.get() == "d"
        gates["d"].set()
        assert await d == b"d"
        for cancelled in (b, c):
            with pytest.raises(asyncio.CancelledError):
                await cancelled


async def test_waiting_for_a_turn_is_not_part_of_the_time_limit(raw) -> None:
    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(ok(PICTURE))

    raw.behaviour = slow
    settings = DownloadSettings(allow_private=True, concurrency=1, timeout=0.4)
    async with asyncio.timeout(10), contextlib.aclosing(Downloader(settings)) as downloader:
        assert await asyncio.gather(*(downloader.fetch(raw.url) for _ in range(12))) == [PICTURE] * 12


async def test_names_that_never_resolve_hold_up_no_other_work(raw, monkeypatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: released.wait(5) and [])
    settings = DownloadSettings(concurrency=2, timeout=0.05, allow="127.0.0.1")
    raw.answers(ok(PICTURE))
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    try:
        async with contextlib.aclosing(Downloader(settings)) as downloader:
            for _ in range(3):
                with pytest.raises(GatewayError, match="longer than"):
                    await downloader.fetch("http://never.example/")
            assert await asyncio.wait_for(asyncio.to_thread(lambda: 7), 2) == 7
    finally:
        released.set()


async def test_downloads_are_counted_by_what_became_of_them(raw) -> None:
    registry = CollectorRegistry()
    async with contextlib.aclosing(Downloader(DownloadSettings(allow_private=True), registry)) as downloader:
        raw.answers(ok(PICTURE))
        await downloader.fetch(raw.url)
        raw.answers(ok(PICTURE).replace(b"200", b"404", 1))
        with pytest.raises(GatewayError):
            await downloader.fetch(raw.url)
    outcomes = {
        name: registry.get_sample_value("image_gateway_download_files_total", {"outcome": name})
        for name in ("ok", "URI_DOWNLOAD_FAILED")
    }
    assert outcomes == {"ok": 1, "URI_DOWNLOAD_FAILED": 1}
    assert registry.get_sample_value("image_gateway_download_bytes_total") == len(PICTURE)
    assert registry.get_sample_value("image_gateway_download_under_way") == 0


async def test_what_may_be_reached_can_be_changed(raw) -> None:
    raw.answers(ok(PICTURE))
    async with contextlib.aclosing(Downloader(DownloadSettings())) as downloader:
        with pytest.raises(GatewayError) as caught:
            await downloader.fetch(f"{raw.url}/cat.jpg")
        assert caught.value.reason is Reason.URI_FORBIDDEN
        downloader.adopt(DownloadSettings(allow="127.0.0.1"))
        assert await downloader.fetch(f"{raw.url}/cat.jpg") == PICTURE
        downloader.adopt(DownloadSettings(allow="127.0.0.1", max_bytes=len(PICTURE) - 1))
        with pytest.raises(GatewayError) as caught:
            await downloader.fetch(f"{raw.url}/cat.jpg")
        assert caught.value.reason is Reason.IMAGE_TOO_LARGE
