import asyncio
import gc
import io
import threading
import weakref
from collections.abc import AsyncIterator
from dataclasses import astuple

import pytest
import pytest_asyncio
from PIL import Image
from prometheus_client import CollectorRegistry

from gateway.boxes import map_back
from gateway.engines.provider import LocalProvider
from gateway.engines.settings import LocalSettings
from gateway.errors import GatewayError, Reason
from gateway.media import (
    Box,
    DarkEnhanceParameters,
    DefogParameters,
    ImageFacts,
    ImageUri,
    Language,
    MediaContent,
    PreparedImage,
    TaggingParameters,
    UpscaleParameters,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[LocalProvider]:
    provider = LocalProvider(LocalSettings(workers=2), max_pixels=1_000_000, registry=CollectorRegistry())
    yield provider
    await provider.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def fresh() -> AsyncIterator[LocalProvider]:
    """One that has not been asked for anything."""
    provider = LocalProvider(LocalSettings(workers=2), max_pixels=1_000_000, registry=CollectorRegistry())
    yield provider
    await provider.aclose()


async def test_a_picture_is_tagged_and_timed(preparer, fresh, dog) -> None:
    provider = fresh
    reply = await provider.tag(preparer.check(dog), TaggingParameters(threshold=90))
    assert "狗" in {tag.name for tag in reply.tags}
    assert (reply.provider, reply.attempts, reply.request_ids) == ("local", 1, ())
    assert 0 < reply.decode_time < reply.work_time
    counted = provider._metrics._registry.get_sample_value
    for name, seconds in (("duration", reply.work_time), ("decode", reply.decode_time), ("queue", reply.queue_time)):
        assert counted(f"image_gateway_engine_{name}_seconds_sum", {"engine": "tagging"}) == seconds
    assert (counted("image_gateway_engine_busy"), counted("image_gateway_engine_waiting")) == (0, 0)


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


async def test_once_closed_it_holds_no_models(preparer, dog) -> None:
    provider = LocalProvider(LocalSettings(workers=1), max_pixels=1_000_000)
    image = preparer.check(dog)
    assert (await provider.tag(image, TaggingParameters())).tags
    engines = [weakref.ref(each) for each in provider._engines]
    await provider.aclose()
    gc.collect()
    assert [each() for each in engines] == [None, None, None]
    with pytest.raises(RuntimeError, match="closed"):
        await provider.tag(image, TaggingParameters())


async def test_uris_are_for_others(provider) -> None:
    with pytest.raises(TypeError):
        await provider.tag(ImageUri("https://example.org/"), TaggingParameters())


async def test_no_more_than_the_workers_are_busy(preparer, provider, monkeypatch, dog) -> None:
    lock, both = threading.Lock(), threading.Barrier(2)
    busy = most = 0

    def recognise(*_: object) -> tuple[tuple[()], float]:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        both.wait(5)  # passes only while two are at it
        with lock:
            busy -= 1
        return (), 0.0

    monkeypatch.setattr(provider, "_tagged", recognise)
    await asyncio.gather(*(provider.tag(preparer.check(dog), TaggingParameters()) for _ in range(6)))
    assert most == 2


async def test_the_check_reports_a_broken_engine(provider, monkeypatch) -> None:
    await provider.check()

    def broken() -> None:
        raise ValueError

    monkeypatch.setattr(provider._engines.tagging, "self_test", broken)
    with pytest.raises(GatewayError) as caught:
        await provider.check()
    assert caught.value.reason is Reason.INTERNAL


async def test_the_check_does_not_wait_for_pictures(provider) -> None:
    ended = threading.Event()
    busy = [asyncio.create_task(provider._pool.run("tagging", lambda _: ended.wait())) for _ in range(2)]
    try:
        await asyncio.wait_for(provider.check(), 30)
        assert not any(task.done() for task in busy)
    finally:
        ended.set()
    await asyncio.gather(*busy)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(provider, photos) -> Box:
    """Where the dog is in the picture shown upright."""
    buffer = io.BytesIO()
    with Image.open(photos / "dog.jpg") as picture:
        picture.convert("RGB").save(buffer, "JPEG", quality=95)
    shown = PreparedImage(buffer.getvalue(), ImageFacts("jpeg", 800, 600, 1, buffer.tell()))
    reply = await provider.tag(shown, TaggingParameters(language=Language.EN))
    return next(tag for tag in reply.tags if tag.name == "dog").instances[0].box


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_boxes_are_in_the_pixels_that_the_file_stores(provider, photos, place, orientation) -> None:
    with Image.open(photos / "dog.jpg") as picture:
        upright = picture.convert("RGB")
    there_and_back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # EXIF orientation → PIL.Image.Transpose that undoes showing it
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(there_and_back[orientation]))
    buffer, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    stored.save(buffer, "JPEG", quality=95, exif=exif)
    facts = ImageFacts("jpeg", *stored.size, orientation, buffer.tell())
    reply = await provider.tag(PreparedImage(buffer.getvalue(), facts), TaggingParameters(language=Language.EN))
    (found,) = next(tag for tag in reply.tags if tag.name == "dog").instances[:1]
    sent = ImageFacts("jpeg", 800, 600, 1, 0)
    mapped = map_back(place, PreparedImage(b"", facts, sent=sent))
    for one, other in zip(astuple(found.box), astuple(mapped), strict=True):
        assert abs(one - other) < 12


@pytest.mark.parametrize(
    ("name", "written"), [("castle.jpg", "jpeg"), ("stream.webp", "jpeg"), ("cat.png", "png"), ("clock.bmp", "png")]
)
@pytest.mark.parametrize("parameters", [DarkEnhanceParameters(), DefogParameters()])
async def test_an_enhanced_picture_keeps_size_and_kind(preparer, provider, photos, name, written, parameters) -> None:
    image = preparer.check((photos / name).read_bytes())
    reply = await provider.enhance(image, parameters)
    with Image.open(io.BytesIO(reply.image)) as picture:
        assert (picture.format.lower(), picture.size) == (written, (image.facts.width, image.facts.height))
    assert reply.facts == ImageFacts(written, image.facts.width, image.facts.height, 1, len(reply.image))
    assert reply.work_time > 0


async def test_an_enhanced_picture_is_upright(preparer, provider, photos) -> None:
    image = preparer.check((photos / "phone-dogs.jpg").read_bytes())
    assert (image.facts.width, image.facts.height, image.facts.orientation) == (1200, 831, 6)
    reply = await provider.enhance(image, DefogParameters())
    assert (reply.facts.width, reply.facts.height, reply.facts.orientation) == (831, 1200, 1)


@pytest.mark.parametrize(("scale", "largest"), [(3, (2666, 2667)), (4, (2000, 2000))])
async def test_what_would_be_too_large_is_refused_before_it_is_decoded(provider, scale, largest) -> None:
    width, height = largest
    for size, reason in ((largest, Reason.IMAGE_FORMAT_UNSUPPORTED), ((width + 1, height), Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE)):
        image = PreparedImage(b"no picture at all", ImageFacts("png", *size, 1, 17))
        with pytest.raises(GatewayError) as caught:
            await provider.enhance(image, UpscaleParameters(scale))
        assert caught.value.reason is reason
    assert caught.value.measured == f"{width + 1}x{height} px"
    assert str(64_000_000 // scale**2) in caught.value.allowed


async def test_a_side_that_would_be_fitted_first_is_not_enlarged(provider) -> None:
    image = PreparedImage(b"no picture at all", ImageFacts("png", 4097, 100, 1, 17))
    with pytest.raises(GatewayError, match="4097x100 px") as caught:
        await provider.enhance(image, UpscaleParameters())
    assert (caught.value.reason, caught.value.allowed) == (Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE, "sides of at most 4096 px")


async def test_the_shipped_tunes_are_recognised(provider, photos) -> None:
    recording = (photos.parent / "music" / "harbour-lights.mp4").read_bytes()
    reply = await provider.recognize_music(MediaContent(recording))
    assert "Harbour Lights" in reply.match.name
    assert reply.work_time > 0


async def test_a_recording_without_music_of_ours_matches_nothing_and_noise_is_refused(provider) -> None:
    with pytest.raises(GatewayError) as caught:
        await provider.recognize_music(MediaContent(b"no recording"))
    assert caught.value.reason is Reason.MEDIA_UNSUPPORTED
    with pytest.raises(TypeError):
        await provider.recognize_music(ImageUri("https://example.org/"))


async def test_an_index_of_music_that_cannot_be_used_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"music_index: .*missing.index"):
        LocalProvider(LocalSettings(music_index=tmp_path / "missing.index"), max_pixels=1)
    (tmp_path / "other.index").write_bytes(b"something else entirely")
    with pytest.raises(ValueError, match="music_index: "):
        LocalProvider(LocalSettings(music_index=tmp_path / "other.index"), max_pixels=1)
