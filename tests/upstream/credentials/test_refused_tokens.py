"""What becomes of calls, and of the account, when tokens are refused; calls are made as the client makes them."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.credentials.factory import opened_credential
from gateway.upstream.credentials.password import TokenGrant
from gateway.upstream.credentials.protocol import Credential
from gateway.upstream.credentials.token import Token
from gateway.upstream.credentials.token_file import FileTokenStore
from gateway.upstream.credentials.token_store import account_of
from gateway.upstream.settings import CloudSettings

SIGN_IN = "POST /v3/auth/tokens"
REFUSED = GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "expired", upstream=UpstreamDetail("APIG.0301", 401))
RESET = GatewayError(Reason.UPSTREAM_REPLY_LOST, "the connection broke while the cloud answered")
SETTINGS = CloudSettings(user="ada", domain="acme", password="hunter2")

pytestmark = pytest.mark.usefixtures("issuing")


class Service:
    """Knows which tokens are dead."""

    def __init__(self, reply: Callable) -> None:
        self.dead: set[str] = set()
        self.requests = 0
        self._refusal = reply(401)

    async def call(self, credential: Credential, *, refuses_all: bool = False) -> bool:
        """One call of an operation; whether it was answered. Raises `GatewayError` if no token was to be had."""
        for _ in range(2):
            grant = await credential.grant()
            self.requests += 1
            await asyncio.sleep(0)
            if not refuses_all and name_of(grant) not in self.dead:
                grant.accepted()
                return True
            if not grant.refused(REFUSED, self._refusal):
                return False
        return False


def name_of(grant: TokenGrant) -> str:
    return grant.token.value.rstrip("t")


@pytest.fixture
def service(reply) -> Service:
    return Service(reply)


@pytest.fixture
def credential(cloud, clock) -> Credential:
    return opened_credential(SETTINGS, cloud, clock=clock, sleep=clock.sleep, random=lambda: 0.5)


async def test_a_revoked_token_costs_one_sign_in_and_no_call(cloud, credential, service) -> None:
    assert await service.call(credential)
    service.dead.add("secret-1-")
    assert all(await asyncio.gather(*(service.call(credential) for _ in range(20))))
    assert await service.call(credential)
    assert cloud.places() == [SIGN_IN] * 2


@pytest.mark.parametrize("apart", [1, 30])
async def test_two_revocations_within_a_minute_are_both_overcome_in_seconds(cloud, clock, credential, service, apart) -> None:
    await service.call(credential)
    service.dead.add("secret-1-")
    assert await service.call(credential)
    clock.now += apart
    assert await service.call(credential)
    service.dead.add("secret-2-")
    for _ in range(5):
        if await service.call(credential):
            break
        clock.now += 1
    assert await service.call(credential)
    assert cloud.places() == [SIGN_IN] * 3


async def test_one_operation_that_always_refuses_is_nobody_else_s_concern(cloud, clock, credential, service) -> None:
    for _ in range(600):
        mine, *others = await asyncio.gather(
            service.call(credential, refuses_all=True), *(service.call(credential) for _ in range(3))
        )
        assert not mine
        assert all(others)
        clock.now += 0.5
    assert len(cloud.places()) <= 1 + 6  # the first one, and at 0, 5, 15, 35, 75, 155 seconds


async def test_an_operation_that_refuses_all_costs_one_request_for_each_call_meanwhile(clock, credential, service) -> None:
    await service.call(credential, refuses_all=True)
    assert service.requests == 2
    clock.now += 1
    await service.call(credential, refuses_all=True)
    assert service.requests == 3


async def test_others_go_on_while_a_new_token_cannot_be_had(cloud, clock, credential, service) -> None:
    await service.call(credential)
    cloud.answers[SIGN_IN] = lambda _: RESET
    for _ in range(3):
        with pytest.raises(GatewayError) as caught:
            await service.call(credential, refuses_all=True)
        assert caught.value.reason is Reason.UPSTREAM_UNAVAILABLE
        assert await service.call(credential)


async def test_a_token_that_dies_with_its_password(cloud, clock, credential, service, reply) -> None:
    """Nobody signs in with a wrong password over and over: accounts are locked after too many."""
    await service.call(credential)
    service.dead.add("secret-1-")
    cloud.answers[SIGN_IN] = lambda _: reply(401)
    for _ in range(600):
        with pytest.raises(GatewayError, match="refused the gateway's user, password") as caught:
            await service.call(credential)
        assert caught.value.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED
        clock.now += 0.5
    assert len(cloud.places()) == 1 + 6  # the first one, and at 0, 5, 15, 35, 75, 155 seconds


async def test_a_token_of_the_store_that_is_dead_too_leads_to_a_sign_in(cloud, clock, service, tmp_path) -> None:
    settings = SETTINGS.model_copy(update={"token_store": tmp_path})
    credential = opened_credential(settings, cloud, clock=clock)
    store = FileTokenStore(tmp_path, account_of(settings))
    assert await service.call(credential)
    # Another replica's, which dies at the same time.
    await store.save(Token("other", "p7", clock.now, clock.now + 86_400))
    service.dead |= {"secret-1-", "other"}
    await service.call(credential)
    assert await service.call(credential)
    assert cloud.places() == [SIGN_IN] * 2
    assert (await store.load()).value.startswith("secret-2-")


async def test_a_reset_at_the_identity_service_is_not_seen(cloud, clock, credential) -> None:
    answers = [RESET, RESET, cloud.answers[SIGN_IN]]

    def answer(sent):
        found = answers.pop(0)
        return found if isinstance(found, GatewayError) else found(sent)

    cloud.answers[SIGN_IN] = answer
    assert await credential.grant()
    assert cloud.places() == [SIGN_IN] * 3


async def test_trouble_of_the_identity_service_is_never_taken_for_a_bill(cloud, clock, credential) -> None:
    cloud.answers[SIGN_IN] = lambda _: RESET
    with pytest.raises(GatewayError, match="identity service gave no answer: the connection broke") as caught:
        await credential.grant()
    assert caught.value.reason is Reason.UPSTREAM_UNAVAILABLE
    with pytest.raises(GatewayError) as caught:
        await credential.grant()
    assert caught.value.retry_after <= 1
    assert cloud.places() == [SIGN_IN] * 3
    clock.now += 1
    with pytest.raises(GatewayError):
        await credential.grant()
    assert cloud.places() == [SIGN_IN] * 6


async def test_a_pause_that_the_identity_service_asks_for_is_kept(cloud, clock, credential, reply) -> None:
    cloud.answers[SIGN_IN] = lambda _: reply(429, Retry_After="30")
    for _ in range(30):
        with pytest.raises(GatewayError) as caught:
            await credential.grant()
        assert caught.value.reason is Reason.UPSTREAM_THROTTLED
        clock.now += 1
    assert cloud.places() == [SIGN_IN]
