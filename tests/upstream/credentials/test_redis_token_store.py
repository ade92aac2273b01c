import json
import threading

import pytest
import redis
from fakeredis import TcpFakeServer

from gateway.redis_store import RedisSettings, RedisStore
from gateway.upstream.credentials.redis_token_store import RedisTokenStore
from gateway.upstream.credentials.token import Token

NOW = 1_700_000_000.0
TOKEN = Token("token-value", "project", NOW, NOW + 86_400)
NAME = "image-gateway:token:account"


@pytest.fixture
def server():
    server = TcpFakeServer(("127.0.0.1", 0))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def direct(server):
    with redis.Redis(port=server.server_address[1], protocol=2) as client:
        yield client


@pytest.fixture
async def opened(server):
    redis_store = RedisStore(RedisSettings(url=f"redis://127.0.0.1:{server.server_address[1]}", timeout=5.0))
    yield lambda account="account": RedisTokenStore(redis_store, account, lambda: NOW)
    await redis_store.aclose()


async def test_what_one_replica_saves_another_one_loads(opened) -> None:
    assert await opened().load() is None
    await opened().save(TOKEN)
    assert await opened().load() == TOKEN
    assert await opened("other").load() is None


async def test_it_is_kept_until_the_token_expires(opened, direct) -> None:
    await opened().save(TOKEN)
    assert 86_399_000 < direct.pttl(NAME) <= 86_400_000


async def test_what_has_expired_is_not_saved(opened, direct) -> None:
    await opened().save(Token("token-value", "project", NOW - 10, NOW))
    assert direct.keys() == []


async def test_only_the_token_that_is_kept_is_forgotten(opened) -> None:
    await opened().save(TOKEN)
    await opened().forget(Token("another", "project", NOW, NOW + 86_400))
    assert await opened().load() == TOKEN
    await opened().forget(TOKEN)
    assert await opened().load() is None


async def test_a_token_of_whole_seconds_is_forgotten_too(opened) -> None:
    whole = Token("token-value", "project", int(NOW), int(NOW) + 10)
    await opened().save(whole)
    loaded = await opened().load()
    await opened().forget(loaded)
    assert await opened().load() is None


@pytest.mark.parametrize(
    "kept",
    [
        b"garbage",
        b"7",
        b"{}",
        json.dumps(["token", "project", 1.0]),
        json.dumps(["", "project", 1.0, 2.0]),
        json.dumps(["token", "", 1.0, 2.0]),
        json.dumps([7, "project", 1.0, 2.0]),
        json.dumps(["two words\nX-Evil: 1", "project", 1.0, 2.0]),
        json.dumps(["token", "project", float("nan"), 2.0]),
        json.dumps(["token", "project", 1.0, 10**400]),
        b"[" * 100_000,
        b'["' + b"x" * (128 << 10) + b'", "project", 1.0, 2.0]',
    ],
)
async def test_what_is_no_token_is_none(opened, direct, kept) -> None:
    direct.set(NAME, kept)
    assert await opened().load() is None


async def test_turns_are_given_back(opened, direct) -> None:
    async with opened().turn():
        assert direct.keys() == [b"image-gateway:token-turn:account"]
    assert direct.keys() == []
