import asyncio
import inspect
from collections import Counter
from dataclasses import replace

import pytest

from gateway.cache import CachedProvider, CacheSettings, MemoryStore
from gateway.call import UNHURRIED, CacheUse, Call
from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.media import (
    Box,
    CacheState,
    DarkEnhanceParameters,
    DefogParameters,
    EnhancementReply,
    ImageFacts,
    ImageUri,
    Language,
    LocalizedText,
    MediaContent,
    MusicMatch,
    MusicReply,
    PreparedImage,
    Tag,
    TaggingParameters,
    TaggingReply,
    TaggingVersion,
    TagInstance,
)

FACTS = ImageFacts("jpeg", 10, 10, 1, 7)
PICTURE = PreparedImage(b"picture", FACTS)
URI = ImageUri("https://example.org/a.jpg")
REFRESH, BYPASS = Call(cache=CacheUse.REFRESH), Call(cache=CacheUse.BYPASS)
ALL = (LocalizedText("狗", "dog"), LocalizedText("草", "grass"), LocalizedText("天", "sky"))


class Inner:
    """Sees three things in every picture; counts what it is asked."""

    name = "inner"
    downloads_images = True
    downloads_recordings = False
    decodes_here = True

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.names = ALL
        self.error: GatewayError | None = None
        self.gate: asyncio.Event | None = None
        self.closed = False

    async def tag(self, image, parameters, call=UNHURRIED) -> TaggingReply:
        await self._asked(image, parameters, call)
        tags = []
        for name, confidence in zip(self.names, (90.0, 60.0, 30.0), strict=True):
            said = name.zh if parameters.language is Language.ZH else name.en
            if confidence >= parameters.threshold:
                instances = (TagInstance(Box(1.5, 2.0, 3.0, 4.0), 50.0),)
                tags.append(Tag(said or "unlisted", confidence, "object", name, LocalizedText("物", "thing"), instances))
        return TaggingReply(self.name, tuple(tags[: parameters.limit]), **self._how())

    async def enhance(self, image, parameters, call=UNHURRIED) -> EnhancementReply:
        await self._asked(image, parameters, call)
        return EnhancementReply(self.name, image.data * 2, FACTS, **self._how())

    async def recognize_music(self, source, call=UNHURRIED) -> MusicReply:
        await self._asked(source, None, call)
        return MusicReply(self.name, MusicMatch("song", 99.0, 1.5), **self._how())

    async def check(self) -> None:
        raise GatewayError(Reason.UPSTREAM_UNAVAILABLE, "down")

    async def aclose(self) -> None:
        self.closed = True

    async def _asked(self, *what) -> None:
        self.asked.append(what)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error

    def _how(self) -> dict[str, object]:
        return {"attempts": 2, "request_ids": (f"id {len(self.asked)}",), "queue_time": 3.0, "work_time": 4.0, "decode_time": 0.5}


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
def store(clock) -> MemoryStore:
    return MemoryStore(1 << 20, clock)


@pytest.fixture
def seen() -> Counter:
    return Counter()


@pytest.fixture
def make(inner, store, clock, seen):
    def make(origin: str = "", **settings) -> CachedProvider:
        def observer(operation, state) -> None:
            seen[operation, state] += 1

        return CachedProvider(inner, CacheSettings(**settings), store, origin=origin, observer=observer, clock=clock)

    return make


@pytest.fixture
def provider(make) -> CachedProvider:
    return make()


async def test_the_same_is_asked_for_once(provider, inner, clock, seen) -> None:
    first = await provider.tag(PICTURE, TaggingParameters())
    second = await provider.tag(PreparedImage(b"picture", FACTS), TaggingParameters())
    assert len(inner.asked) == 1
    assert first.cache is CacheState.MISS
    assert (first.attempts, first.queue_time, first.work_time, first.request_ids) == (2, 3.0, 4.0, ("id 1",))
    assert first.decode_time == 0.5
    assert second == replace(first, cache=CacheState.HIT, attempts=0, queue_time=0.0, work_time=0.0, decode_time=0.0)
    assert seen == {("tagging", CacheState.MISS): 1, ("tagging", CacheState.HIT): 1}


async def test_another_picture_is_another_question(provider, inner) -> None:
    await provider.tag(PICTURE, TaggingParameters())
    await provider.tag(PreparedImage(b"other", FACTS), TaggingParameters())
    assert len(inner.asked) == 2


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("threshold", [0.0, 60.0, 60.1, 100.0])
@pytest.mark.parametrize("limit", [1, 2, 150])
async def test_one_call_serves_every_language_threshold_and_limit(provider, inner, language, threshold, limit) -> None:
    first = await provider.tag(PICTURE, TaggingParameters(threshold=95.0))
    assert first.tags == ()
    assert inner.asked[0][1] == TaggingParameters(threshold=0.0, limit=150)
    parameters = TaggingParameters(language, threshold, limit)
    found = await provider.tag(PICTURE, parameters)
    assert len(inner.asked) == 1
    assert found.tags == (await inner.tag(PICTURE, parameters)).tags


async def test_a_language_with_a_name_left_out_is_asked_for_by_itself(provider, inner) -> None:
    inner.names = (ALL[0], LocalizedText("草", ""), ALL[2])
    chinese, english = TaggingParameters(Language.ZH), TaggingParameters(Language.EN)
    await provider.tag(PICTURE, chinese)
    # Of the tags over 80 none lacks its English name.
    sure = await provider.tag(PICTURE, replace(english, threshold=80.0))
    assert ([tag.name for tag in sure.tags], sure.cache) == (["dog"], CacheState.HIT)
    own = await provider.tag(PICTURE, english)
    assert ([tag.name for tag in own.tags], own.cache, own.attempts) == (["dog", "unlisted"], CacheState.MISS, 2)
    assert inner.asked[-1][1] == TaggingParameters(Language.EN, 0.0, 150)
    again = await provider.tag(PICTURE, replace(english, limit=2))
    assert ([tag.name for tag in again.tags], again.cache, again.attempts) == (["dog", "unlisted"], CacheState.HIT, 0)
    assert len(inner.asked) == 2


async def test_versions_are_kept_apart(provider, inner) -> None:
    await provider.tag(PICTURE, TaggingParameters())
    first = await provider.tag(PICTURE, TaggingParameters(version=TaggingVersion.V1))
    assert first.cache is CacheState.MISS
    assert {(tag.localized_type, tag.instances) for tag in first.tags} == {(LocalizedText(), ())}


async def test_switched_off_tags_are_asked_for_as_the_call_says(make, inner) -> None:
    provider = make(whole_tagging=False)
    one, other = TaggingParameters(threshold=50.0), TaggingParameters(threshold=50.0, limit=1)
    assert len((await provider.tag(PICTURE, one)).tags) == 2
    assert (await provider.tag(PICTURE, one)).cache is CacheState.HIT
    assert (await provider.tag(PICTURE, other)).cache is CacheState.MISS
    assert [asked[1] for asked in inner.asked] == [one, other]


async def test_enhancements_are_remembered_by_kind_and_parameters(provider, inner, seen) -> None:
    for parameters in (DarkEnhanceParameters(0.5), DarkEnhanceParameters(0.6), DefogParameters()):
        first = await provider.enhance(PICTURE, parameters)
        second = await provider.enhance(PICTURE, parameters)
        assert (first.cache, second.cache) == (CacheState.MISS, CacheState.HIT)
        assert second.image == b"picturepicture"
        assert second.facts == FACTS
    assert len(inner.asked) == 3
    assert seen["defog", CacheState.HIT] == 1


async def test_music_is_remembered(provider, inner) -> None:
    first = await provider.recognize_music(MediaContent(b"song"))
    second = await provider.recognize_music(MediaContent(b"song"))
    assert (first.cache, second.cache, len(inner.asked)) == (CacheState.MISS, CacheState.HIT, 1)
    assert second.match == MusicMatch("song", 99.0, 1.5)


async def test_answers_of_other_origins_are_others(make, inner, store) -> None:
    await make("one").tag(PICTURE, TaggingParameters())
    assert (await make("other").tag(PICTURE, TaggingParameters())).cache is CacheState.MISS
    assert (await make("one").tag(PICTURE, TaggingParameters())).cache is CacheState.HIT


async def test_an_answer_is_forgotten_when_its_time_is_over(make, inner, clock) -> None:
    provider = make(ttl=100.0)
    await provider.tag(PICTURE, TaggingParameters())
    clock.now += 99.9
    assert (await provider.tag(PICTURE, TaggingParameters())).cache is CacheState.HIT
    clock.now += 0.1
    assert (await provider.tag(PICTURE, TaggingParameters())).cache is CacheState.MISS


async def test_the_time_of_a_remembered_answer_is_that_of_this_call(provider, inner, clock, store, monkeypatch) -> None:
    await provider.tag(PICTURE, TaggingParameters())
    get = store.get

    async def slow(key) -> bytes | None:
        clock.now += 0.25
        return await get(key)

    monkeypatch.setattr(store, "get", slow)
    assert (await provider.tag(PICTURE, TaggingParameters())).work_time == 0.25


async def test_refreshing_asks_anew_and_remembers(provider, inner) -> None:
    await provider.tag(PICTURE, TaggingParameters())
    inner.names = (LocalizedText("猫", "cat"), *ALL[1:])
    fresh = await provider.tag(PICTURE, TaggingParameters(), REFRESH)
    assert (fresh.tags[0].name, fresh.cache, fresh.attempts) == ("猫", CacheState.MISS, 2)
    after = await provider.tag(PICTURE, TaggingParameters())
    assert (after.tags[0].name, after.cache) == ("猫", CacheState.HIT)
    assert len(inner.asked) == 2


async def test_refreshing_does_not_take_what_was_under_way_before(provider, inner, settled) -> None:
    inner.gate = asyncio.Event()
    earlier = asyncio.create_task(provider.tag(PICTURE, TaggingParameters()))
    await settled(lambda: inner.asked)
    fresh = asyncio.create_task(provider.tag(PICTURE, TaggingParameters(), REFRESH))
    await settled(lambda: len(inner.asked) == 2)
    inner.gate.set()
    assert [(await task).cache for task in (earlier, fresh)] == [CacheState.MISS] * 2


@pytest.mark.parametrize("known", [False, True])
async def test_bypassing_asks_exactly_and_remembers_nothing(provider, inner, store, seen, known) -> None:
    if known:
        await provider.tag(PICTURE, TaggingParameters())
    before = (store.entries, store.size_bytes)
    parameters = TaggingParameters(threshold=77.0, limit=3)
    reply = await provider.tag(PICTURE, parameters, BYPASS)
    assert inner.asked[-1] == (PICTURE, parameters, BYPASS)
    assert (reply.cache, reply.attempts) == (CacheState.NONE, 2)
    assert (await provider.enhance(PICTURE, DefogParameters(), BYPASS)).cache is CacheState.NONE
    assert (await provider.recognize_music(MediaContent(b"song"), BYPASS)).cache is CacheState.NONE
    assert (store.entries, store.size_bytes) == before
    assert sum(seen.values()) == known


async def test_those_who_ask_at_the_same_time_share_one_call(provider, inner, settled, seen) -> None:
    inner.gate = asyncio.Event()
    languages = [Language.ZH, Language.EN, Language.ZH]
    calls = [asyncio.create_task(provider.tag(PICTURE, TaggingParameters(language))) for language in languages]
    await settled(lambda: inner.asked)
    inner.gate.set()
    replies = [await call for call in calls]
    assert len(inner.asked) == 1
    assert [reply.cache for reply in replies] == [CacheState.MISS, CacheState.SHARED, CacheState.SHARED]
    assert [reply.attempts for reply in replies] == [2, 0, 0]
    assert [reply.queue_time for reply in replies] == [3.0, 0.0, 0.0]
    assert [reply.decode_time for reply in replies] == [0.5, 0.0, 0.0]
    assert {reply.request_ids for reply in replies} == {("id 1",)}
    assert [reply.tags[0].name for reply in replies] == ["狗", "dog", "狗"]
    assert seen["tagging", CacheState.SHARED] == 2


async def test_what_lands_between_a_look_and_a_start_is_not_paid_for_twice(provider, inner, store, monkeypatch, settled) -> None:
    looks = []
    get = store.get

    async def slow(key) -> bytes | None:
        kept = await get(key)
        looks.append(kept)
        for _ in range(20):
            await asyncio.sleep(0)
        return kept

    monkeypatch.setattr(store, "get", slow)
    calls = []
    for _ in range(60):
        calls.append(asyncio.create_task(provider.tag(PICTURE, TaggingParameters())))
        await asyncio.sleep(0)
    await asyncio.gather(*calls)
    assert len(inner.asked) == 1
    assert looks.count(None) == 1


async def test_the_answer_to_a_url_is_shared_but_not_remembered(provider, inner, store, settled) -> None:
    inner.gate = asyncio.Event()
    calls = [asyncio.create_task(provider.tag(URI, TaggingParameters())) for _ in range(2)]
    await settled(lambda: inner.asked)
    inner.gate.set()
    assert [(await call).cache for call in calls] == [CacheState.MISS, CacheState.SHARED]
    assert store.entries == 0
    assert (await provider.tag(URI, TaggingParameters())).cache is CacheState.MISS
    assert len(inner.asked) == 2


async def test_unless_it_is_set_to_be(make, inner, clock) -> None:
    provider = make(uri_ttl=10.0)
    await provider.tag(URI, TaggingParameters())
    clock.now += 9.0
    assert (await provider.tag(URI, TaggingParameters())).cache is CacheState.HIT
    clock.now += 1.0
    assert (await provider.tag(URI, TaggingParameters())).cache is CacheState.MISS


async def test_that_a_picture_was_refused_is_remembered_briefly(provider, inner, clock, seen) -> None:
    inner.error = GatewayError(
        Reason.IMAGE_DAMAGED, "broken", field="content", upstream=UpstreamDetail("AIS.0503", 400, "id", attempts=1)
    )
    raised = []
    for _ in range(2):
        with pytest.raises(GatewayError) as info:
            await provider.tag(PICTURE, TaggingParameters())
        raised.append(info.value)
    assert len(inner.asked) == 1
    assert [error.message for error in raised] == ["broken"] * 2
    assert [error.upstream.error_code for error in raised] == ["AIS.0503"] * 2
    assert [error.upstream.attempts for error in raised] == [1, 0]
    assert seen == {("tagging", CacheState.MISS): 1, ("tagging", CacheState.HIT): 1}
    clock.now += 60.0
    inner.error = None
    assert (await provider.tag(PICTURE, TaggingParameters())).cache is CacheState.MISS


async def test_refusals_need_not_be_remembered(make, inner, store) -> None:
    provider = make(error_ttl=0.0)
    inner.error = GatewayError(Reason.IMAGE_REJECTED, "no")
    for _ in range(2):
        with pytest.raises(GatewayError, match="no"):
            await provider.enhance(PICTURE, DefogParameters())
    assert (len(inner.asked), store.entries) == (2, 0)


@pytest.mark.parametrize("reason", [reason for reason in Reason if not reason.startswith(("IMAGE_", "MEDIA_"))])
async def test_other_errors_are_never_remembered(provider, inner, store, reason) -> None:
    inner.error = GatewayError(reason, "not the picture's fault")
    for number in (1, 2):
        with pytest.raises(GatewayError) as info:
            await provider.tag(PICTURE, TaggingParameters())
        assert info.value.reason is reason
        assert (len(inner.asked), store.entries) == (number, 0)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason.startswith(("IMAGE_", "MEDIA_"))])
async def test_every_fault_of_a_picture_or_recording_is_remembered(provider, inner, reason) -> None:
    inner.error = GatewayError(reason, "the picture's fault")
    for _ in range(2):
        with pytest.raises(GatewayError) as info:
            await provider.tag(PICTURE, TaggingParameters())
        assert info.value.reason is reason
    assert len(inner.asked) == 1


async def test_what_is_damaged_in_the_store_is_asked_for_anew(provider, inner, store) -> None:
    await provider.tag(PICTURE, TaggingParameters())
    (key,) = store._entries
    await store.put(key, b"garbage", 100.0)
    assert (await provider.tag(PICTURE, TaggingParameters())).cache is CacheState.MISS
    assert (await provider.tag(PICTURE, TaggingParameters())).cache is CacheState.HIT


async def test_large_answers_come_back_whole(make, inner, clock) -> None:
    inner_store = MemoryStore(64 << 20, clock)
    provider = CachedProvider(inner, CacheSettings(), inner_store, clock=clock)
    large = PreparedImage(bytes(range(256)) * 4096, FACTS)
    first = await provider.enhance(large, DefogParameters())
    second = await provider.enhance(large, DefogParameters())
    assert second.cache is CacheState.HIT
    assert second.image == first.image == large.data * 2


async def test_cancelling_the_only_call_cancels_the_work(provider, inner, settled, store) -> None:
    inner.gate = asyncio.Event()
    call = asyncio.create_task(provider.tag(PICTURE, TaggingParameters()))
    await settled(lambda: inner.asked)
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    assert len(asyncio.all_tasks()) == 1
    assert store.entries == 0


async def test_it_passes_for_the_provider_behind_it(provider, inner) -> None:
    assert (provider.name, provider.downloads_images, provider.downloads_recordings, provider.decodes_here) == (
        "inner",
        True,
        False,
        True,
    )
    with pytest.raises(GatewayError, match="down"):
        await provider.check()
    await provider.aclose()
    assert inner.closed


def test_its_methods_are_called_as_those_of_any_provider() -> None:
    for name in ("tag", "enhance", "recognize_music"):
        own, other = (inspect.signature(getattr(of, name)).parameters for of in (CachedProvider, Inner))
        assert list(own) == list(other)
        assert own["call"].default is UNHURRIED
