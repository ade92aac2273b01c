"""Providers in order of preference: if one cannot, the next does it."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.errors import GatewayError, Reason
from gateway.provider import Provider

_log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")


class Chain:
    """One provider or several. Of a picture that all would refuse, the first one's refusal is the answer."""

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        fall_back_on: frozenset[Reason] = frozenset(),
        taken_over: Callable[[Provider, Reason], None] = lambda _provider, _reason: None,
    ) -> None:
        """`fall_back_on`: failures of a provider after which the next one is asked. `taken_over` is told of each."""
        self._providers = tuple(providers)
        self._fall_back_on = fall_back_on
        self._taken_over = taken_over

    async def first(self, ask: Callable[[Provider], Awaitable[_Answer]]) -> _Answer:
        """The answer of the first provider that can. Raises the `GatewayError` that ends the search."""
        *preferred, last = self._providers
        for provider in preferred:
            try:
                return await ask(provider)
            except GatewayError as error:
                if error.reason not in self._fall_back_on:
                    raise
                _log.info("%s failed with %s; another provider takes over", provider.name, error.reason)
                self._taken_over(provider, error.reason)
        return await ask(last)

    async def check(self) -> None:
        """Raise `GatewayError` if calls would fail whatever the picture."""

        async def check(provider: Provider) -> None:
            await provider.check()

        await self.first(check)
