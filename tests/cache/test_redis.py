import asyncio
import threading

import pytest
import redis
from fakeredis import TcpFakeServer

from gateway.cache import CachedProvider, CacheSettings, RedisAnswers
from gateway.media import CacheState, ImageFacts, PreparedImage, TaggingParameters, TaggingReply
from gateway.redis_store import RedisSettings, RedisStore
from gateway.redis_store.store import HOLD

KEY = bytes(range(32))
PICTURE = PreparedImage(b"picture", ImageFacts("jpeg", 10, 10, 1, 7))


class Inner:
    name = "inner"

    def __init__(self) -> None:
        self.asked = 0

    async def tag(self, image, parameters, call) -> TaggingReply:
        self.asked += 1
        return TaggingReply(self.name, ())


class Server:
    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        self._server = TcpFakeServer(("127.0.0.1", self.port))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture
async def answers(server, clock):
    store = RedisStore(RedisSettings(url=f"redis://127.0.0.1:{server.port}", timeout=5.0), clock)
    yield RedisAnswers(store, max_entry_bytes=100)
    await store.aclose()


async def test_answers_are_kept_for_their_time_under_names_that_say_nothing(server, answers) -> None:
    await answers.put(KEY, b"answer", ttl=60.0)
    assert await answers.get(KEY) == b"answer"
    with redis.Redis(port=server.port, protocol=2) as direct:
        (name,) = direct.keys()
        assert name == b"image-gateway:answer:" + KEY.hex().encode()
        assert 50_000 < direct.pttl(name) <= 60_000


async def test_what_is_too_long_is_neither_kept_nor_taken(server, answers) -> None:
    await answers.put(KEY, bytes(101), ttl=60.0)
    with redis.Redis(port=server.port, protocol=2) as direct:
        assert direct.keys() == []
        direct.set(b"image-gateway:answer:" + KEY.hex().encode(), b"v" * 101)
    assert await answers.get(KEY) is None


async def test_replicas_share_answers_and_go_on_without_them(server, answers, clock) -> None:
    inners = [Inner(), Inner()]
    one, other = (CachedProvider(inner, CacheSettings(), answers, clock=clock) for inner in inners)

    async def asked(provider: CachedProvider) -> CacheState:
        return (await provider.tag(PICTURE, TaggingParameters())).cache

    assert await asked(one) is CacheState.MISS
    assert await asked(other) is CacheState.HIT
    server.stop()
    assert await asyncio.gather(*(asked(other) for _ in range(3))) == [CacheState.MISS, CacheState.SHARED, CacheState.SHARED]
    server.start()
    assert await asked(one) is CacheState.MISS  # held off still
    clock.now += HOLD
    assert await asked(one) is CacheState.MISS  # the server is a new one
    assert await asked(other) is CacheState.HIT
    assert [inner.asked for inner in inners] == [3, 1]


async def test_what_somebody_else_has_put_there_is_asked_for_anew(server, answers, clock) -> None:
    inner = Inner()
    provider = CachedProvider(inner, CacheSettings(), answers, clock=clock)
    await provider.tag(PICTURE, TaggingParameters())
    with redis.Redis(port=server.port, protocol=2) as direct:
        (name,) = direct.keys()
        direct.set(name, b"garbage")
    assert (await provider.tag(PICTURE, TaggingParameters())).cache is CacheState.MISS
    assert (await provider.tag(PICTURE, TaggingParameters())).cache is CacheState.HIT
