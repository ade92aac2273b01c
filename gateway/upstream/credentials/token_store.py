"""Where replicas leave tokens for each other, so that they do not all sign in."""

import hashlib
import json
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from gateway.upstream.credentials.token import Token
from gateway.upstream.settings import CloudSettings

TURN_LIMIT: Final = 15.0
"""Seconds after which a replica goes on without its turn: signing in takes less, unless the one whose turn it is hangs."""

_REMEMBERED_REFUSALS: Final = 16


class TokenStore(Protocol):
    """Holds one token of one account (`account_of`). Nothing here raises: a store that is out of order is as good as empty."""

    async def load(self) -> Token | None:
        """The token that was saved last, whether or not it still serves."""

    async def save(self, token: Token) -> None:
        """Keep `token` instead of the one before."""

    async def forget(self, token: Token) -> None:
        """Drop `token`, if it is the one that is kept."""

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Inside, no other replica is: they wait here, for `TURN_LIMIT` at most, while one of them fetches."""


class SharedTokens:
    """Takes tokens from a store, and fetches one if there is none of use."""

    def __init__(self, store: TokenStore, fetch: Callable[[], Awaitable[Token]], clock: Callable[[], float]) -> None:
        """`fetch` gets a new token or raises `GatewayError`; `clock` returns seconds since the epoch."""
        self._store = store
        self._fetch = fetch
        self._clock = clock
        # Remembered here, too: another replica may save a token after it was refused.
        self._refused: deque[str] = deque(maxlen=_REMEMBERED_REFUSALS)

    async def fetch(self) -> Token:
        """A token that is not soon to be renewed. Raises `GatewayError`."""
        token = await self._usable()
        if token is not None:
            return token
        async with self._store.turn():
            # While this replica waited for its turn, another one may have fetched.
            token = await self._usable()
            if token is None:
                token = await self._fetch()
                await self._store.save(token)
            return token

    def refuse(self, token: Token) -> None:
        """Never take `token`, which the service refused, from the store again."""
        if token.value not in self._refused:
            self._refused.append(token.value)

    async def _usable(self) -> Token | None:
        token = await self._store.load()
        if token is None:
            return None
        if token.value in self._refused:
            await self._store.forget(token)
            return None
        return token if self._clock() < token.renew_at else None


def account_of(settings: CloudSettings) -> str:
    """Names what tokens by these settings stand for, as 32 hexadecimal digits that give nothing away: what stores keep apart."""
    project = settings.project_id or settings.project or settings.region
    facts = (settings.endpoints().iam, settings.domain, settings.user, bool(settings.project_id), project)
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
