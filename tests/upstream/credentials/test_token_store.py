import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.token import Token
from gateway.upstream.credentials.token_store import SharedTokens, account_of
from gateway.upstream.settings import CloudSettings

NOW = 1_800_000_000.0


class Shelf:
    """A store in memory."""

    def __init__(self, token: Token | None = None) -> None:
        self.token = token
        self.lock = asyncio.Lock()

    async def load(self) -> Token | None:
        return self.token

    async def save(self, token: Token) -> None:
        self.token = token

    async def forget(self, token: Token) -> None:
        if self.token == token:
            self.token = None

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        async with self.lock:
            yield


class Issuer:
    def __init__(self) -> None:
        self.fetches = 0
        self.error: GatewayError | None = None

    async def fetch(self) -> Token:
        self.fetches += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return issued(f"token {self.fetches}")


def issued(value: str, age: float = 0.0) -> Token:
    return Token(value, "p7", NOW - age, NOW - age + 86_400)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


async def test_a_token_in_the_store_is_taken(issuer) -> None:
    kept = issued("kept")
    assert await SharedTokens(Shelf(kept), issuer.fetch, lambda: NOW).fetch() is kept
    assert issuer.fetches == 0


async def test_a_new_token_is_left_for_the_others(issuer) -> None:
    shelf = Shelf()
    replicas = [SharedTokens(shelf, issuer.fetch, lambda: NOW) for _ in range(10)]
    tokens = await asyncio.gather(*(replica.fetch() for replica in replicas))
    assert {token.value for token in tokens} == {"token 1"}
    assert issuer.fetches == 1


@pytest.mark.parametrize("age", [86_400 * 0.9, 86_400, 100_000])
async def test_a_token_that_ends_soon_is_not_taken(issuer, age) -> None:
    shelf = Shelf(issued("old", age))
    assert (await SharedTokens(shelf, issuer.fetch, lambda: NOW).fetch()).value == "token 1"
    assert shelf.token.value == "token 1"


async def test_a_refused_token_is_not_taken_again_even_if_another_replica_saves_it(issuer) -> None:
    refused = issued("refused")
    shelf = Shelf(refused)
    shared = SharedTokens(shelf, issuer.fetch, lambda: NOW)
    shared.refuse(refused)
    assert (await shared.fetch()).value == "token 1"
    shelf.token = refused
    assert (await shared.fetch()).value == "token 2"


async def test_a_token_that_is_refused_over_and_over_does_not_push_out_the_others(issuer) -> None:
    first, second = issued("first"), issued("second")
    shared = SharedTokens(Shelf(first), issuer.fetch, lambda: NOW)
    for token in (first, *[second] * 100):
        shared.refuse(token)
    assert (await shared.fetch()).value == "token 1"


async def test_a_refused_token_is_forgotten_for_the_others_too(issuer) -> None:
    refused = issued("refused")
    shelf = Shelf(refused)
    shared = SharedTokens(shelf, issuer.fetch, lambda: NOW)
    shared.refuse(refused)
    issuer.error = GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "no")
    with pytest.raises(GatewayError):
        await shared.fetch()
    assert shelf.token is None
    assert not shelf.lock.locked()


def test_accounts_are_kept_apart_and_not_told() -> None:
    settings = {"user": "ada", "domain": "acme", "password": "hunter2"}
    accounts = [
        account_of(CloudSettings(**settings | other))
        for other in (
            {},
            {"user": "bob"},
            {"domain": "other"},
            {"region": "cn-north-4"},
            {"project": "mine"},
            {"project_id": "mine"},
            {"iam_endpoint": "http://iam.example"},
        )
    ]
    assert len(set(accounts)) == len(accounts)
    assert account_of(CloudSettings(**settings | {"password": "hunter3"})) == accounts[0]
    assert not any(secret in account for account in accounts for secret in ("ada", "acme", "hunter"))
