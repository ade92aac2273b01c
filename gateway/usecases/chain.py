"""Providers in order of preference: if one cannot, the next does it."""

import dataclasses
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.provider import Provider

_log = logging.getLogger(__name__)

_SHARE: Final = 0.75
"""Of the time that is left, what a provider gets that has another one behind it: one that hangs must leave time for that."""

_Answer = TypeVar("_Answer")

Ask = Callable[[Provider, Call], Awaitable[_Answer]]


class Chain:
    """One provider or several. Of a picture that all would refuse, the first one's refusal is the answer."""

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        fall_back_on: frozenset[Reason] = frozenset(),
        taken_over: Callable[[Provider, Reason], None] = lambda _provider, _reason: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fall_back_on`: failures of a provider after which the next one is asked; that its share of the time has passed is
        always one. `taken_over` is told of each. `clock` is that of the callers' deadlines."""
        self._providers = tuple(providers)
        self.fall_back_on = fall_back_on
        self._taken_over = taken_over
        self._clock = clock

    @property
    def providers(self) -> tuple[Provider, ...]:
        """In order of preference."""
        return self._providers

    async def first(self, ask: Ask[_Answer], call: Call) -> _Answer:
        """The answer of the first provider that can. Raises the `GatewayError` that ends the search."""
        *preferred, last = self._providers
        for provider in preferred:
            shorter = self._shortened(call)
            try:
                return await ask(provider, shorter)
            except GatewayError as error:
                late = error.reason is Reason.DEADLINE_EXCEEDED and shorter.deadline <= self._clock() < call.deadline
                if not late and error.reason not in self.fall_back_on:
                    raise
                _log.info("%s failed with %s; another provider takes over", provider.name, error.reason)
                self._taken_over(provider, error.reason)
        return await ask(last, call)

    def failure(self, failures: Mapping[str, GatewayError | None]) -> GatewayError | None:
        """Why calls would fail whatever the picture, where those providers cannot serve that `failures` has an error for; None if
        one can that calls get to."""
        error = None
        for provider in self._providers:
            error = failures[provider.name]
            if error is None or error.reason not in self.fall_back_on:
                break
        return error

    def _shortened(self, call: Call) -> Call:
        if math.isinf(call.deadline):
            return call
        now = self._clock()
        return dataclasses.replace(call, deadline=now + _SHARE * (call.deadline - now))
