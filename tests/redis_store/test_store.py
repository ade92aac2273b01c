import asyncio
import datetime as dt
import ipaddress
import logging
import ssl
import sys
import time

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.redis_store import RedisSettings, RedisStore
from gateway.redis_store.store import HOLD

SECRET = "s3cret-of-redis"


@pytest.fixture
def store(server, opened) -> RedisStore:
    return opened(server.port)


@pytest.fixture
def direct(server):
    """Another client of the same server."""
    with redis.Redis(port=server.port, protocol=2) as client:
        yield client


async def test_what_is_set_can_be_had(store) -> None:
    assert await store.get("name", max_bytes=10) is None
    await store.set("name", b"\x00\xff value", ttl=60.0)
    assert await store.get("name", max_bytes=10) == b"\x00\xff value"
    assert not store.failing


async def test_names_are_prefixed_and_times_are_set_in_the_server(store, direct) -> None:
    await store.set("name", b"value", ttl=1.5)
    assert direct.keys() == [b"image-gateway:name"]
    assert 1000 < direct.pttl("image-gateway:name") <= 1500


@pytest.mark.parametrize(("length", "found"), [(10, True), (11, False), (100_000, False)])
async def test_of_what_is_too_long_nothing_is_taken(store, direct, length, found) -> None:
    direct.set("image-gateway:name", b"v" * length)
    assert (await store.get("name", max_bytes=10) is not None) is found
    assert not store.failing


async def test_the_server_is_asked_for_no_more_than_what_is_taken(scripted, opened) -> None:
    scripted.answer = lambda command: b"$2\r\nhi\r\n"
    assert await opened(scripted.port).get("name", max_bytes=10) == b"hi"
    assert scripted.commands[-1] == [b"GETRANGE", b"image-gateway:name", b"0", b"10"]


async def test_adding_does_not_replace(store, direct) -> None:
    assert await store.add("name", b"first", ttl=60.0) is True
    assert await store.add("name", b"second", ttl=60.0) is False
    assert await store.get("name", max_bytes=10) == b"first"
    assert 50_000 < direct.pttl("image-gateway:name") <= 60_000


async def test_only_the_value_that_is_named_is_removed(store) -> None:
    await store.set("name", b"value", ttl=60.0)
    await store.remove("name", b"other")
    assert await store.get("name", max_bytes=10) == b"value"
    await store.remove("name", b"value")
    assert await store.get("name", max_bytes=10) is None


async def test_what_changes_while_it_is_removed_stays(scripted, opened) -> None:
    replies = {
        b"WATCH": b"+OK\r\n",
        b"GET": b"$5\r\nvalue\r\n",
        b"MULTI": b"+OK\r\n",
        b"DEL": b"+QUEUED\r\n",
        b"EXEC": b"*-1\r\n",
    }
    scripted.answer = lambda command: replies.get(command[0], b"+OK\r\n")
    store = opened(scripted.port)
    await store.remove("name", b"value")
    assert [b"EXEC"] in scripted.commands
    assert not store.failing


async def test_gone_and_back(server, store, clock, caplog) -> None:
    caplog.set_level(logging.INFO, "gateway")
    await store.set("name", b"value", ttl=60.0)
    server.stop()
    assert await store.get("name", max_bytes=10) is None
    assert await store.add("name", b"value", ttl=60.0) is None
    await store.set("name", b"value", ttl=60.0)
    await store.remove("name", b"value")
    assert store.failing
    server.start()
    clock.now += HOLD - 0.001
    assert await store.get("name", max_bytes=10) is None  # not asked yet
    await store.set("name", b"value", ttl=60.0)
    clock.now += 0.001
    assert await store.get("name", max_bytes=10) is None  # asked: a new server has nothing
    assert not store.failing
    await store.set("name", b"value", ttl=60.0)
    assert await store.get("name", max_bytes=10) == b"value"
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_one_warning_for_one_outage_however_long(server, store, clock, caplog) -> None:
    server.stop()
    for _ in range(5):
        await store.get("name", max_bytes=10)
        clock.now += HOLD
    assert len(caplog.records) == 1


async def test_silence_is_not_waited_for(scripted, opened, clock) -> None:
    scripted.answer = lambda command: None
    store = opened(scripted.port, timeout=0.3)
    started_at = time.monotonic()
    assert await store.get("name", max_bytes=10) is None
    assert time.monotonic() - started_at < 2.0
    clock.now += HOLD
    scripted.commands.clear()
    # Then one tries again, and no other waits.
    assert await asyncio.gather(*(store.get("name", max_bytes=10) for _ in range(100))) == [None] * 100
    assert sum(command[0] == b"GETRANGE" for command in scripted.commands) == 1


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_late_reply_is_never_taken_for_the_next(scripted, opened, clock, cancelled) -> None:
    serve = scripted.serve
    writers = []

    async def kept(reader, writer) -> None:
        writers.append(writer)
        await serve(reader, writer)

    scripted.serve = kept
    scripted.answer = lambda command: None
    server = await asyncio.start_server(kept, "127.0.0.1", 0)
    async with server:
        store = opened(server.sockets[0].getsockname()[1], timeout=5.0 if cancelled else 0.3)
        asking = asyncio.create_task(store.get("one", max_bytes=10))
        await scripted.heard(b"GETRANGE")
        if cancelled:
            asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled() is cancelled
        writers[0].write(b"$3\r\none\r\n")
        clock.now += HOLD
        scripted.answer = lambda command: b"$3\r\ntwo\r\n"
        assert await store.get("two", max_bytes=10) == b"two"
        assert scripted.connections == 2


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        b"-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
        b"$99999999999999999999\r\n",
        b"*1\r\n*1\r\n+x\r\n",
        b"$x\r\n",
        b":7\r\n",
        b"\x00\x00\x00\x00\r\n",
    ],
)
async def test_whatever_it_says_no_call_fails(scripted, opened, reply) -> None:
    scripted.answer = lambda command: reply
    store = opened(scripted.port, timeout=0.2)
    assert await store.get("name", max_bytes=10) is None
    await store.set("name", b"value", ttl=1.0)
    await store.remove("name", b"value")


async def test_a_server_that_takes_nothing_more_is_still_asked(scripted, opened, caplog) -> None:
    full = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    scripted.answer = lambda command: full if command[0] == b"SET" else b"$2\r\nhi\r\n"
    store = opened(scripted.port)
    for _ in range(3):
        await store.set("name", b"value", ttl=1.0)
        assert await store.get("name", max_bytes=10) == b"hi"
    assert not store.failing
    assert [record.getMessage().count("OutOfMemoryError") for record in caplog.records] == [1]


async def test_the_password_is_read_anew_for_every_connection_and_never_told(scripted, opened, clock, tmp_path, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "password"
    file.write_text(f"{SECRET}-1\n")
    store = opened(scripted.port, user="worker@", password_file=file, timeout=0.3)
    scripted.answer = lambda command: b"$2\r\nhi\r\n"
    assert await store.get("name", max_bytes=10) == b"hi"
    file.write_text(f"{SECRET}-2\n")
    scripted.answer = lambda command: b"-ERR broken\r\n" if command[0] == b"SET" else None
    assert await store.get("name", max_bytes=10) is None  # breaks the connection
    clock.now += HOLD
    scripted.answer = lambda command: b"$2\r\nhi\r\n"
    assert await store.get("name", max_bytes=10) == b"hi"
    passwords = [command[1:] for command in scripted.commands if command[0] == b"AUTH"]
    assert passwords == [[b"worker", f"{SECRET}-{number}".encode()] for number in (1, 2)]
    file.unlink()
    scripted.answer = lambda command: None
    for _ in range(2):
        assert await store.get("name", max_bytes=10) is None
        clock.now += HOLD
    shown = "".join(map(repr, (store, vars(store), store._client, vars(store._client)["_redis"].connection_pool)))
    assert SECRET not in shown + caplog.text


async def test_a_password_in_the_url_is_used_and_never_told(scripted, opened, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    store = opened(scripted.port, user=f":{SECRET}%21@", timeout=0.2)
    scripted.answer = lambda command: b"-NOAUTH Authentication required.\r\n"
    assert await store.get("name", max_bytes=10) is None
    assert [b"AUTH", f"{SECRET}!".encode()] in scripted.commands
    assert SECRET not in caplog.text + repr(store._client) + repr(vars(store._client)["_redis"])


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for loopback, which vouches for itself."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path, key_path = folder / "certificate.pem", folder / "key.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path, key_path


@pytest.mark.parametrize("trusted", [True, False])
async def test_over_tls_only_a_server_that_is_vouched_for_is_spoken_to(scripted, opened, certificate, trusted) -> None:
    path, key_path = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key_path)
    scripted.answer = lambda command: b"$2\r\nhi\r\n"
    async with await asyncio.start_server(scripted.serve, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        store = opened(port, "rediss", f":{SECRET}@", **({"ca_file": path} if trusted else {}))
        assert await store.get("name", max_bytes=10) == (b"hi" if trusted else None)
        await store.aclose()
    assert bool(scripted.commands) is trusted  # the password above all


def test_without_the_package_it_says_what_to_install(monkeypatch) -> None:
    monkeypatch.delitem(sys.modules, "gateway.redis_store.client", raising=False)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ValueError, match=r"install image-gateway\[redis\]"):
        RedisStore(RedisSettings(url="redis://127.0.0.1"))


def test_without_a_url_it_says_so() -> None:
    with pytest.raises(ValueError, match="url or url_file: needed"):
        RedisStore(RedisSettings())
