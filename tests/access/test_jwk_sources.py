import asyncio
import contextlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.access.algorithms import ASYMMETRIC
from gateway.access.jwk_set import read_jwk_set
from gateway.access.jwk_sources import KeyUrl
from gateway.errors import GatewayError, Reason
from tests.access.test_tokens import public

SECRET_URL = "https://issuer.test/keys?secret=hunter2"


class Issuer:
    """Publishes keys, or is down."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.ids = ["a"]
        self.fetches = 0
        self.failure: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = asyncio.Semaphore(0)

    async def fetch(self, url: str) -> bytes:
        assert url == SECRET_URL
        self.fetches += 1
        self.asked.release()
        await self.may_answer.wait()
        if self.failure is not None:
            raise self.failure
        return json.dumps({"keys": [public(self.key, key_id) for key_id in self.ids]}).encode()


class Naps:
    """Sleeps until told to wake."""

    def __init__(self) -> None:
        self.lengths: list[float] = []
        self._wake = asyncio.Event()
        self._slept = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.lengths.append(seconds)
        self._slept.set()
        await self._wake.wait()
        self._wake.clear()

    async def over(self) -> None:
        """End the nap, and wait for the next one."""
        await self._slept.wait()
        self._slept.clear()
        self._wake.set()
        await self._slept.wait()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def opened(issuer, naps, clock):
    results: list[bool] = []
    async with contextlib.AsyncExitStack() as stack:

        async def make() -> tuple[KeyUrl, list[bool]]:
            source = KeyUrl(
                SECRET_URL,
                issuer.fetch,
                lambda content: read_jwk_set(content, ASYMMETRIC),
                refresh=300,
                pause=30,
                max_age=3600,
                clock=clock,
                observer=results.append,
                sleep=naps,
            )
            stack.push_async_callback(source.aclose)
            await source.start()
            return source, results

        yield make


async def test_keys_are_fetched_once_and_kept(opened, issuer) -> None:
    source, _ = await opened()
    for _ in range(3):
        assert (await source.keys("a")).has("a")
    assert issuer.fetches == 1


async def test_keys_are_renewed_ahead(opened, issuer, naps) -> None:
    source, _ = await opened()
    issuer.ids = ["a", "b"]
    await naps.over()
    assert naps.lengths[0] == 300
    assert issuer.fetches == 2
    assert (await source.keys("b")).has("b")
    assert issuer.fetches == 2


async def test_a_key_that_is_new_is_fetched_at_once(opened, issuer, clock) -> None:
    source, _ = await opened()
    clock.now += 30
    issuer.ids = ["a", "b"]
    assert (await source.keys("b")).has("b")


async def test_made_up_key_ids_do_not_hammer_the_issuer(opened, issuer, clock) -> None:
    source, _ = await opened()
    for _ in range(3):
        clock.now += 30
        await asyncio.gather(*(source.keys(f"forged-{number}") for number in range(100)))
    assert issuer.fetches == 4


async def test_the_old_keys_serve_while_the_url_is_down(opened, issuer, clock, naps, caplog) -> None:
    source, results = await opened()
    issuer.failure = GatewayError(Reason.UPSTREAM_UNAVAILABLE, "HTTP 503 hunter2")
    await naps.over()
    clock.now += 30
    assert (await source.keys("b")).has("a")
    assert results == [True, False, False]
    assert "hunter2" not in caplog.text
    issuer.failure, issuer.ids = None, ["b"]
    clock.now += 30
    assert (await source.keys("b")).has("b")


async def test_without_any_keys_they_are_asked_for_sooner(opened, issuer, clock, naps) -> None:
    issuer.failure = OSError("down")
    source, _ = await opened()
    assert await source.keys("a") is None
    assert naps.lengths in ([], [30])
    issuer.failure = None
    await naps.over()
    assert naps.lengths[0] == 30
    assert (await source.keys("a")).has("a")


async def test_after_failures_it_is_tried_after_growing_pauses(opened, issuer, naps) -> None:
    source, _ = await opened()
    issuer.failure = OSError("down")
    for _ in range(6):
        await naps.over()
    assert naps.lengths == [300, 30, 60, 120, 240, 300, 300]
    issuer.failure, issuer.ids = None, ["b"]
    await naps.over()
    assert naps.lengths[-1] == 300
    assert (await source.keys("b")).has("b")
    issuer.failure = OSError("down again")
    await naps.over()
    assert naps.lengths[-1] == 30


async def test_old_keys_are_not_trusted_for_ever(opened, issuer, clock, naps, caplog) -> None:
    source, _ = await opened()
    issuer.failure = OSError("down")
    clock.now += 3599.9
    assert (await source.keys("a")).has("a")
    clock.now += 0.1
    assert await source.keys("a") is None
    assert "tokens are refused" in caplog.text
    issuer.failure = None
    clock.now += 29.9
    assert await source.keys("a") is None  # too soon to ask again
    clock.now += 0.1
    assert (await source.keys("a")).has("a")


async def test_what_is_no_key_set_changes_nothing(opened, issuer, clock) -> None:
    source, results = await opened()
    issuer.ids = []
    clock.now += 30
    assert (await source.keys("b")).has("a")
    assert results == [True, False]


async def test_whoever_leaves_does_not_end_the_fetch_of_the_others(opened, issuer, clock) -> None:
    source, _ = await opened()
    clock.now += 30
    issuer.ids = ["a", "b"]
    issuer.may_answer.clear()
    first, second = (asyncio.create_task(source.keys("b")) for _ in range(2))
    for _ in range(2):
        await issuer.asked.acquire()
    first.cancel()
    issuer.may_answer.set()
    assert (await second).has("b")
    assert issuer.fetches == 2
