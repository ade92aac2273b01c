"""An answer from memory, or else asked for: once, however many want it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic

from gateway.cache.codec import IMAGE_REASONS, AnswerT, decode, encode
from gateway.cache.error_copy import copied_error
from gateway.cache.flights import Flights
from gateway.cache.store import AnswerStore
from gateway.call import CacheUse, Call
from gateway.errors import GatewayError
from gateway.media import CacheState, EnhancementReply
from gateway.telemetry.stage import stage

_INLINE_BYTES: Final = 256 << 10
"""Up to this size an answer is packed and unpacked (the checksum takes 0.09 ms) where the call stands."""


@dataclass(frozen=True, slots=True)
class Question(Generic[AnswerT]):
    """What is asked, and what its answer is remembered by.

    `ttl`, `error_ttl`: seconds for which an answer, or an error of the picture, is remembered; 0 for not at all. Then, too, those
    who ask at the same time share one answer.
    """

    key: bytes
    kind: type[AnswerT]
    ask: Callable[[], Awaitable[AnswerT]]
    ttl: float
    error_ttl: float


@dataclass(frozen=True, slots=True)
class Recalled(Generic[AnswerT]):
    """An answer, or an error of the picture, and how it was come by."""

    answer: AnswerT | GatewayError
    state: CacheState

    def unwrap(self) -> AnswerT:
        """The answer. Raises the error, as a new object."""
        if isinstance(self.answer, GatewayError):
            raise copied_error(self.answer, shared=self.state is not CacheState.MISS) from self.answer.__cause__
        return self.answer


class Recall:
    """Memory and flights together, for one event loop."""

    def __init__(self, store: AnswerStore) -> None:
        self._store = store
        self._flights: Flights[Recalled[Any]] = Flights()  # a key is of one kind of answer

    async def aclose(self) -> None:
        """Give up what is under way."""
        await self._flights.aclose()

    async def __call__(self, question: Question[AnswerT], call: Call) -> Recalled[AnswerT]:
        """The answer to `question`, or the error of the picture in its place. Raises any other `GatewayError`."""
        with stage("cache") as span:
            recalled = await self._recalled(question, call)
            span.set_attribute("image_gateway.cache.state", recalled.state.value)
            return recalled

    async def _recalled(self, question: Question[AnswerT], call: Call) -> Recalled[AnswerT]:
        if call.cache is CacheUse.REFRESH:  # an answer under way may be older than the wish for a new one
            return await self._asked(question)
        # The look into memory is part of the flight: between a look in vain and take-off another flight could land, and the same
        # would be paid for twice.
        found, shared = await self._flights.join(question.key, lambda: self._found(question), call)
        if shared and found.state is CacheState.MISS:
            return Recalled(found.answer, CacheState.SHARED)
        return found

    async def _found(self, question: Question[AnswerT]) -> Recalled[AnswerT]:
        answer = await self._remembered(question)
        return await self._asked(question) if answer is None else Recalled(answer, CacheState.HIT)

    async def _remembered(self, question: Question[AnswerT]) -> AnswerT | GatewayError | None:
        if not (question.ttl or question.error_ttl):
            return None
        kept = await self._store.get(question.key)
        if kept is None:
            return None
        try:
            if len(kept) <= _INLINE_BYTES:
                return decode(kept, question.kind)
            return await asyncio.to_thread(decode, kept, question.kind)
        except ValueError:
            return None  # damaged, or of another program: asked anew, and overwritten

    async def _asked(self, question: Question[AnswerT]) -> Recalled[AnswerT]:
        answer: AnswerT | GatewayError
        try:
            answer, ttl = await question.ask(), question.ttl
        except GatewayError as error:
            if error.reason not in IMAGE_REASONS:
                raise
            answer, ttl = error, question.error_ttl
        if ttl:
            large = isinstance(answer, EnhancementReply) and len(answer.image) > _INLINE_BYTES
            kept = await asyncio.to_thread(encode, answer) if large else encode(answer)
            await self._store.put(question.key, kept, ttl)
        return Recalled(answer, CacheState.MISS)
