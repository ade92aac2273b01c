import asyncio
import math
from collections.abc import Callable

import pytest

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.renewed import EXPIRY_MARGIN, FAILURE_HOLD, LONGEST_HOLD, PASSING_HOLD, Renewed
from gateway.upstream.credentials.token import RENEWAL_SHARE, Token

LIFETIME = 1000.0
RENEWAL = LIFETIME * (1 - RENEWAL_SHARE)
REFUSED = GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "refused", upstream=UpstreamDetail(http_status=401))


class Issuer:
    """Issues tokens named after their number, when told to: `land` ends the fetch that is under way."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fetches = 0
        self.cancelled = 0
        self._answer: asyncio.Future[Token] | None = None

    async def fetch(self) -> Token:
        self.fetches += 1
        self._answer = asyncio.get_running_loop().create_future()
        try:
            return await self._answer
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def land(self, error: Exception | None = None) -> None:
        await settled(lambda: self._answer is not None)
        if error is None:
            self._answer.set_result(Token(f"token {self.fetches}", "project", self.now, self.now + LIFETIME))
        else:
            self._answer.set_exception(error)
        self._answer = None
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def settled(condition: Callable[[], bool]) -> None:
    """Let other tasks run until `condition` holds."""
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def cache(issuer) -> Renewed[Token]:
    return Renewed("token", issuer.fetch, lambda: issuer.now)


@pytest.fixture
async def token(issuer, cache) -> Token:
    """The first token, already in the cache."""
    waiter = asyncio.create_task(cache.get())
    await issuer.land()
    return await waiter


async def test_one_fetch_serves_all_who_wait(issuer, cache) -> None:
    waiters = [asyncio.create_task(cache.get()) for _ in range(50)]
    await issuer.land()
    assert {(await waiter).value for waiter in waiters} == {"token 1"}
    assert (await cache.get()).value == "token 1"
    assert issuer.fetches == 1


async def test_one_failure_reaches_all_who_wait(issuer, cache) -> None:
    waiters = [asyncio.create_task(cache.get()) for _ in range(5)]
    await issuer.land(REFUSED)
    errors = await asyncio.gather(*waiters, return_exceptions=True)
    assert {(error.reason, error.message, error.upstream) for error in errors} == {(REFUSED.reason, "refused", REFUSED.upstream)}
    assert len({id(error) for error in errors}) == 5  # whoever gets one may add to it
    assert issuer.fetches == 1


async def test_a_token_is_renewed_ahead_by_one_flight_while_it_serves(issuer, cache, token) -> None:
    issuer.now = RENEWAL - 1
    assert await cache.get() is token
    await asyncio.sleep(0)
    assert issuer.fetches == 1
    issuer.now = RENEWAL
    for _ in range(20):
        assert await cache.get() is token
        await asyncio.sleep(0)
    assert issuer.fetches == 2
    await issuer.land()
    assert (await cache.get()).value == "token 2"
    assert issuer.fetches == 2


async def test_a_failed_renewal_keeps_the_old_token_and_waits_before_the_next(issuer, cache, token, caplog) -> None:
    issuer.now = RENEWAL
    assert await cache.get() is token
    await issuer.land(REFUSED)
    assert "no token: refused" in caplog.text
    issuer.now += FAILURE_HOLD - 0.1
    assert await cache.get() is token
    await asyncio.sleep(0)
    assert issuer.fetches == 2
    issuer.now += 0.1
    assert await cache.get() is token
    await issuer.land()
    assert (await cache.get()).value == "token 3"


async def test_an_expired_token_is_not_handed_out(issuer, cache, token) -> None:
    issuer.now = LIFETIME - EXPIRY_MARGIN
    waiter = asyncio.create_task(cache.get())
    await settled(lambda: issuer.fetches == 2)
    assert not waiter.done()
    await issuer.land()
    assert (await waiter).value == "token 2"


async def test_at_expiry_the_renewal_under_way_is_joined(issuer, cache, token) -> None:
    issuer.now = RENEWAL
    await cache.get()
    issuer.now = LIFETIME
    waiter = asyncio.create_task(cache.get())
    await issuer.land()
    assert (await waiter).value == "token 2"
    assert issuer.fetches == 2


async def test_a_failure_is_told_again_without_another_fetch_for_a_while(issuer, cache) -> None:
    waiter = asyncio.create_task(cache.get())
    await issuer.land(REFUSED)
    with pytest.raises(GatewayError):
        await waiter
    issuer.now += FAILURE_HOLD - 2
    with pytest.raises(GatewayError) as caught:
        await cache.get()
    again = caught.value
    assert again is not REFUSED
    assert (again.reason, again.message, again.upstream, again.retry_after) == (REFUSED.reason, "refused", REFUSED.upstream, 2)
    issuer.now += 2
    waiter = asyncio.create_task(cache.get())
    await issuer.land()
    assert (await waiter).value == "token 2"


async def test_an_unforeseen_error_is_logged_by_its_kind_only(issuer, cache, caplog) -> None:
    waiter = asyncio.create_task(cache.get())
    await issuer.land(ZeroDivisionError("hunter2"))
    with pytest.raises(ZeroDivisionError):
        await waiter
    assert "ZeroDivisionError" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_cancelled_waiter_leaves_the_fetch_to_the_others(issuer, cache) -> None:
    first, second = asyncio.create_task(cache.get()), asyncio.create_task(cache.get())
    await settled(lambda: issuer.fetches == 1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await issuer.land()
    assert (await second).value == "token 1"
    assert (issuer.fetches, issuer.cancelled) == (1, 0)


async def test_closing_stops_a_renewal(issuer, cache, token) -> None:
    issuer.now = RENEWAL
    await cache.get()
    await settled(lambda: issuer.fetches == 2)
    await cache.aclose()
    assert issuer.cancelled == 1


async def test_closing_with_nothing_under_way(cache, token) -> None:
    await cache.aclose()
    assert await cache.get() is token


def test_a_token_does_not_show_its_value() -> None:
    assert "hunter2" not in repr(Token("hunter2", "project", 0, 1))


async def test_refused_credentials_are_tried_ever_more_rarely(issuer, cache) -> None:
    holds = []
    for _ in range(9):
        waiter = asyncio.create_task(cache.get())
        await issuer.land(REFUSED)
        with pytest.raises(GatewayError):
            await waiter
        with pytest.raises(GatewayError) as caught:
            await cache.get()
        holds.append(caught.value.retry_after)
        issuer.now += caught.value.retry_after
    assert holds == [5, 10, 20, 40, 80, 160, 300, 300, 300]


async def test_a_short_lived_token_is_cached_too() -> None:
    fetches = 0

    async def fetch() -> Token:
        nonlocal fetches
        fetches += 1
        return Token("t", "project", 0.0, 30.0)

    cache = Renewed("token", fetch, lambda: 20.0)
    for _ in range(3):
        await cache.get()
    assert fetches == 1


async def test_mended_credentials_start_afresh(issuer, cache) -> None:
    for _ in range(4):
        waiter = asyncio.create_task(cache.get())
        await issuer.land(REFUSED)
        with pytest.raises(GatewayError):
            await waiter
        issuer.now += 300
    waiter = asyncio.create_task(cache.get())
    await issuer.land()
    await waiter
    issuer.now += LIFETIME
    waiter = asyncio.create_task(cache.get())
    await issuer.land(REFUSED)
    with pytest.raises(GatewayError):
        await waiter
    with pytest.raises(GatewayError) as caught:
        await cache.get()
    assert caught.value.retry_after == FAILURE_HOLD


async def test_a_clock_that_is_set_back_does_not_prolong_a_hold(issuer, cache) -> None:
    issuer.now = 1_000_000.0
    waiter = asyncio.create_task(cache.get())
    await issuer.land(REFUSED)
    with pytest.raises(GatewayError):
        await waiter
    issuer.now = 0.0
    waiter = asyncio.create_task(cache.get())
    await issuer.land()
    assert (await waiter).value == "token 2"


async def test_a_dropped_value_is_fetched_anew_and_a_replaced_one_stays(issuer, cache, token) -> None:
    cache.drop(token)
    waiter = asyncio.create_task(cache.get())
    await issuer.land()
    second = await waiter
    cache.drop(token)
    assert await cache.get() is second
    assert issuer.fetches == 2


async def test_what_never_ends_is_fetched_once() -> None:
    fetches = 0

    async def fetch() -> AccessKey:
        nonlocal fetches
        fetches += 1
        return AccessKey("AK", "SK")

    times = iter((0.0, 0.0, 0.0, 1e9, 1e12))
    cache = Renewed("access key", fetch, lambda: next(times))
    for _ in range(3):
        await cache.get()
    assert fetches == 1


async def test_where_asking_is_harmless_the_pace_stays(issuer) -> None:
    cache = Renewed("access key", issuer.fetch, lambda: issuer.now, longest_hold=FAILURE_HOLD)
    for _ in range(4):
        waiter = asyncio.create_task(cache.get())
        await issuer.land(REFUSED)
        with pytest.raises(GatewayError):
            await waiter
        with pytest.raises(GatewayError) as caught:
            await cache.get()
        assert caught.value.retry_after == FAILURE_HOLD
        issuer.now += FAILURE_HOLD


async def test_a_failure_that_goes_on_is_logged_once(issuer, cache, token, caplog) -> None:
    for error in (REFUSED, REFUSED, GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down"), None, REFUSED):
        issuer.now += LIFETIME
        waiter = asyncio.create_task(cache.get())
        await issuer.land(error)
        await asyncio.gather(waiter, return_exceptions=True)
    assert caplog.messages == ["no token: refused", "no token: down", "no token: refused"]


@pytest.mark.parametrize(
    ("failure", "hold"),
    [
        (GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down"), PASSING_HOLD),
        (GatewayError(Reason.UPSTREAM_THROTTLED, "slower"), PASSING_HOLD),
        (GatewayError(Reason.UPSTREAM_THROTTLED, "slower", retry_after=0.1), PASSING_HOLD),
        (GatewayError(Reason.UPSTREAM_THROTTLED, "slower", retry_after=40.0), 40.0),
        (GatewayError(Reason.UPSTREAM_THROTTLED, "slower", retry_after=86_400.0), LONGEST_HOLD),
        (GatewayError(Reason.UPSTREAM_BAD_RESPONSE, "odd"), FAILURE_HOLD),
    ],
)
async def test_what_passes_is_tried_again_soon_and_at_the_same_pace(issuer, cache, failure, hold) -> None:
    for _ in range(3):
        waiter = asyncio.create_task(cache.get())
        await issuer.land(failure)
        with pytest.raises(GatewayError):
            await waiter
        with pytest.raises(GatewayError) as caught:
            await cache.get()
        assert caught.value.retry_after == hold
        issuer.now += hold


async def test_whoever_wants_another_one_waits_and_the_others_go_on_with_the_old_one(issuer, cache, token) -> None:
    cache.renew()
    waiters = [asyncio.create_task(cache.another(token)) for _ in range(5)]
    await settled(lambda: issuer.fetches == 1)
    assert await cache.get() is token
    assert not any(waiter.done() for waiter in waiters)
    await issuer.land()
    assert {(await waiter).value for waiter in waiters} == {"token 2"}
    assert (await cache.get()).value == "token 2"
    assert (await cache.another(token)).value == "token 2"
    assert issuer.fetches == 2


async def test_another_one_that_nobody_is_fetching_is_fetched(issuer, cache, token) -> None:
    waiter = asyncio.create_task(cache.another(token))
    await issuer.land()
    assert (await waiter).value == "token 2"


async def test_if_no_other_one_is_to_be_had_the_old_one_serves_on(issuer, cache, token) -> None:
    cache.renew()
    waiter = asyncio.create_task(cache.another(token))
    await issuer.land(REFUSED)
    for _ in range(2):
        with pytest.raises(GatewayError, match="refused"):
            await waiter
        assert await cache.get() is token
        cache.renew()  # held
        waiter = asyncio.create_task(cache.another(token))
    with pytest.raises(GatewayError) as caught:
        await waiter
    assert caught.value.retry_after == FAILURE_HOLD
    assert issuer.fetches == 2


async def test_it_says_what_it_holds_and_how_often_it_was_fetched(cache, issuer) -> None:
    assert all(map(math.isnan, cache.holding()[:2]))
    waiting = asyncio.create_task(cache.get())
    await issuer.land()
    await waiting
    issuer.now += 100
    assert cache.holding() == (100, LIFETIME - 100, 1, 0)
    issuer.now = RENEWAL
    await cache.get()  # the renewal fails, the old one serves on
    await issuer.land(REFUSED)
    assert cache.holding() == (RENEWAL, LIFETIME - RENEWAL, 1, 1)
