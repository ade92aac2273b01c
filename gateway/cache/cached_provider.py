"""A provider that remembers what another one answered."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from gateway.cache.codec import AnswerT, WholeTagging
from gateway.cache.key import answer_key, canonical, subject_digest
from gateway.cache.narrowing import chosen, narrowed, widened
from gateway.cache.recall import Question, Recall, Recalled
from gateway.cache.settings import CacheSettings
from gateway.cache.store import AnswerStore
from gateway.call import UNHURRIED, CacheUse, Call
from gateway.errors import GatewayError
from gateway.media import (
    CacheState,
    DarkEnhanceParameters,
    DefogParameters,
    EnhancementParameters,
    EnhancementReply,
    ImageUri,
    MediaContent,
    MediaSource,
    MusicReply,
    PreparedImage,
    TaggingParameters,
    TaggingReply,
    UpscaleParameters,
)
from gateway.provider import Provider

_ENHANCEMENTS: Final = {
    DarkEnhanceParameters: "dark_enhance",
    DefogParameters: "defog",
    UpscaleParameters: "super_resolution",
}

_ReplyT = TypeVar("_ReplyT", TaggingReply, EnhancementReply, MusicReply)

Observer = Callable[[str, CacheState], None]
"""Told of each call, by operation, what the cache had to do with its answer or with the error of its picture. Of calls that
failed otherwise or wanted no cache it is told nothing."""


def unobserved(operation: str, state: CacheState) -> None:
    """The observer that nobody listens to."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a call is about."""

    digest: bytes
    is_uri: bool


class CachedProvider:
    """Asks `inner` only for what is not remembered, and once for what several calls want at the same time.

    What `inner` answers must depend on the file, the parameters, and nothing else about the call. For one event loop.
    """

    def __init__(
        self,
        inner: Provider,
        settings: CacheSettings,
        store: AnswerStore,
        *,
        origin: str = "",
        observer: Observer = unobserved,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`inner` is used, and closed, by nobody else; `store` may be shared, and is left open.

        `origin`: what shapes the answers of `inner` besides its name (an endpoint, a version of models); answers of one origin
        are not given as those of another, whoever shares the store. `clock` returns seconds and never goes back.
        """
        self._inner = inner
        self._settings = settings
        self._identity = f"{inner.name}\n{origin}"
        self._recall = Recall(store)
        self._observer = observer
        self._clock = clock

    def adopt(self, settings: CacheSettings) -> None:
        """From now on by these settings; what is remembered already keeps the time that it was given."""
        self._settings = settings

    @property
    def name(self) -> str:
        """That of `inner`."""
        return self._inner.name

    @property
    def downloads_images(self) -> bool:
        """As `inner`."""
        return self._inner.downloads_images

    @property
    def downloads_recordings(self) -> bool:
        """As `inner`."""
        return self._inner.downloads_recordings

    @property
    def decodes_here(self) -> bool:
        """As `inner`."""
        return self._inner.decodes_here

    async def check(self) -> None:
        """Raise `GatewayError` if `inner` would fail, however much is remembered."""
        await self._inner.check()

    async def aclose(self) -> None:
        """Give up what is under way, and close `inner`."""
        await self._recall.aclose()
        await self._inner.aclose()

    async def tag(self, image: PreparedImage | ImageUri, parameters: TaggingParameters, call: Call = UNHURRIED) -> TaggingReply:
        """Tag one picture. Raises `GatewayError`."""
        if call.cache is CacheUse.BYPASS:
            return await self._inner.tag(image, parameters, call)
        started_at = self._clock()
        subject = await _subject(image, call)
        if self._settings.whole_tagging:
            recalled = await self._tagged_whole(subject, image, parameters, call)
        else:
            question = self._question(
                "tagging", canonical(parameters), subject, TaggingReply, lambda: self._inner.tag(image, parameters, call)
            )
            recalled = await self._recall(question, call)
        return self._reply("tagging", recalled, started_at)

    async def enhance(self, image: PreparedImage, parameters: EnhancementParameters, call: Call = UNHURRIED) -> EnhancementReply:
        """Brighten, defog or enlarge one picture. Raises `GatewayError`."""
        if call.cache is CacheUse.BYPASS:
            return await self._inner.enhance(image, parameters, call)
        started_at = self._clock()
        subject = await _subject(image, call)
        operation = _ENHANCEMENTS[type(parameters)]
        question = self._question(
            operation, canonical(parameters), subject, EnhancementReply, lambda: self._inner.enhance(image, parameters, call)
        )
        return self._reply(operation, await self._recall(question, call), started_at)

    async def recognize_music(self, source: MediaSource, call: Call = UNHURRIED) -> MusicReply:
        """Name the music in one recording. Raises `GatewayError`."""
        if call.cache is CacheUse.BYPASS:
            return await self._inner.recognize_music(source, call)
        started_at = self._clock()
        subject = await _subject(source, call)
        question = self._question("music", b"", subject, MusicReply, lambda: self._inner.recognize_music(source, call))
        return self._reply("music", await self._recall(question, call), started_at)

    async def _tagged_whole(
        self, subject: _Subject, image: PreparedImage | ImageUri, parameters: TaggingParameters, call: Call
    ) -> Recalled[TaggingReply]:
        """The tags that `parameters` ask for, out of all."""
        everything = widened(parameters)
        language = parameters.language

        async def ask() -> WholeTagging:
            return WholeTagging(await self._inner.tag(image, everything, call), language)

        whole = await self._recall(
            self._question("tagging", b"whole " + parameters.version.encode(), subject, WholeTagging, ask), call
        )
        if isinstance(whole.answer, GatewayError):
            return Recalled(whole.answer, whole.state)
        reply = narrowed(whole.answer, parameters)
        if reply is not None:
            return Recalled(reply, whole.state)
        # Asked for in the other language, and a name in this one was left out.
        own = await self._recall(
            self._question(
                "tagging", canonical(everything), subject, TaggingReply, lambda: self._inner.tag(image, everything, call)
            ),
            call,
        )
        if isinstance(own.answer, GatewayError):
            return own
        return Recalled(chosen(own.answer, parameters), own.state)

    def _question(
        self,
        operation: str,
        parameters: bytes,
        subject: _Subject,
        kind: type[AnswerT],
        ask: Callable[[], Awaitable[AnswerT]],
    ) -> Question[AnswerT]:
        settings = self._settings
        return Question(
            answer_key(self._identity, operation, parameters, subject.digest),
            kind,
            ask,
            ttl=settings.uri_ttl if subject.is_uri else settings.ttl,
            error_ttl=min(settings.error_ttl, settings.uri_ttl) if subject.is_uri else settings.error_ttl,
        )

    def _reply(self, operation: str, recalled: Recalled[_ReplyT], started_at: float) -> _ReplyT:
        """The reply of this call. Raises the error of its picture."""
        self._observer(operation, recalled.state)
        reply = recalled.unwrap()
        if recalled.state is CacheState.MISS:
            return replace(reply, cache=CacheState.MISS)
        work_time = self._clock() - started_at
        return replace(reply, cache=recalled.state, attempts=0, queue_time=0.0, work_time=work_time, decode_time=0.0)


async def _subject(source: PreparedImage | MediaContent | ImageUri, call: Call) -> _Subject:
    async with call.bounded():
        return _Subject(await subject_digest(source), is_uri=isinstance(source, ImageUri))
