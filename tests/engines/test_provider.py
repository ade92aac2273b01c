import asyncio
import io
import threading
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from gateway.engines.provider import LocalProvider
from gateway.engines.settings import LocalSettings
from gateway.errors import GatewayError, Reason
from gateway.media import ImageFacts, ImageUri, PreparedImage, TaggingParameters


@pytest.fixture
async def provider() -> AsyncIterator[LocalProvider]:
    provider = LocalProvider(LocalSettings(workers=2), max_pixels=1_000_000)
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


def spoilt(data: bytes) -> PreparedImage:
    """Handed on as if it had been checked."""
    return PreparedImage(data, ImageFacts("png", 451, 300, 1, len(data)))


async def test_a_picture_of_too_many_pixels_is_refused_by_the_bound_of_preparation(provider) -> None:
    buffer = io.BytesIO()
    Image.new("L", (1001, 1000)).save(buffer, "PNG")
    with pytest.raises(GatewayError) as caught:
        await provider.tag(spoilt(buffer.getvalue()), TaggingParameters())
    error = caught.value
    assert (error.reason, error.field) == (Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE, "content")
    assert error.measured
    assert "1000000" in error.allowed.replace(" ", "")


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", Reason.IMAGE_EMPTY), (b"GIF89a.....", Reason.IMAGE_FORMAT_UNSUPPORTED), (b"hello", Reason.IMAGE_FORMAT_UNSUPPORTED)],
)
async def test_a_complaint_of_the_core_keeps_its_reason(provider, data, reason) -> None:
    with pytest.raises(GatewayError) as caught:
        await provider.tag(spoilt(data), TaggingParameters())
    assert caught.value.reason is reason


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
