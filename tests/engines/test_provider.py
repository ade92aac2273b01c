import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from gateway.engines.provider import LocalProvider
from gateway.engines.settings import LocalSettings
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts, ImageUri, PreparedImage, TaggingParameters


@pytest.fixture
async def provider() -> AsyncIterator[LocalProvider]:
    provider = LocalProvider(LocalSettings(workers=2))
    yield provider
    await provider.aclose()


async def test_a_picture_is_tagged_and_timed(preparer, provider, dog) -> None:
    reply = await provider.tag(preparer.check(dog), TaggingParameters(threshold=90))
    assert "狗" in {tag.name for tag in reply.tags}
    assert (reply.provider, reply.attempts, reply.request_ids) == ("local", 1, ())
    assert reply.work_time > 0


async def test_damage_within_is_found(provider, photos) -> None:
    data = (photos / "cat.png").read_bytes()
    broken = data[:20000] + bytes(1000) + data[21000:]  # headers and structure are in order; the pixels are not
    image = PreparedImage(broken, ImageFacts("png", 451, 300, 1, len(broken)))
    with pytest.raises(GatewayError) as caught:
        await provider.tag(image, TaggingParameters())
    assert caught.value.reason is Reason.IMAGE_DAMAGED


async def test_uris_are_for_others(provider) -> None:
    with pytest.raises(TypeError):
        await provider.tag(ImageUri("https://example.org/"), TaggingParameters())


async def test_no_more_than_the_workers_are_busy(preparer, provider, monkeypatch, dog) -> None:
    lock, both = threading.Lock(), threading.Barrier(2)
    busy = most = 0

    def recognise(*_: object) -> tuple[()]:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        both.wait(5)  # passes only while two are at it
        with lock:
            busy -= 1
        return ()

    monkeypatch.setattr(provider, "_recognise", recognise)
    await asyncio.gather(*(provider.tag(preparer.check(dog), TaggingParameters()) for _ in range(6)))
    assert most == 2


async def test_the_check_reports_a_broken_engine(provider, monkeypatch) -> None:
    await provider.check()

    def broken() -> None:
        raise ValueError

    monkeypatch.setattr(provider._engine, "self_test", broken)
    with pytest.raises(GatewayError) as caught:
        await provider.check()
    assert caught.value.reason is Reason.INTERNAL
