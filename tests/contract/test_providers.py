"""One suite for every provider: what a use case may expect, whoever does the work."""

import asyncio
import io
import math
import time
from functools import partial

import numpy as np
import pytest
from PIL import Image

from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.media import (
    CacheState,
    DarkEnhanceParameters,
    DefogParameters,
    ImageFacts,
    Language,
    PreparedImage,
    TaggingParameters,
    TaggingVersion,
    UpscaleModel,
    UpscaleParameters,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENHANCEMENTS = (DarkEnhanceParameters(), DefogParameters(), UpscaleParameters())


@pytest.fixture
def small(preparer, photos) -> PreparedImage:
    """A photograph of 96 × 64 px, which is enhanced quickly."""
    with Image.open(photos / "dog.jpg") as opened:
        file = io.BytesIO()
        opened.resize((96, 64)).save(file, "PNG")
    return preparer.check(file.getvalue())


def pixels(file: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(file)) as opened:
        return np.asarray(opened.convert("RGB"), dtype=np.int16)


async def failure(call) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await call
    return caught.value


async def test_it_says_who_it_is_and_that_it_is_well(provider, request) -> None:
    assert request.node.callspec.params["subject"].startswith(provider.name)
    await provider.check()


@pytest.mark.parametrize(("language", "name"), [(Language.ZH, "狗"), (Language.EN, "dog")])
async def test_tags_are_complete(preparer, provider, dog, language, name) -> None:
    reply = await provider.tag(preparer.check(dog), TaggingParameters(language=language, threshold=80))
    tag = next(tag for tag in reply.tags if tag.name == name)
    assert 80 <= tag.confidence <= 100
    assert (tag.localized_name.zh, tag.localized_name.en) == ("狗", "dog")
    assert (tag.type, tag.localized_type.en, tag.localized_type.zh) == ("object", "object", "物体")
    assert [tag.confidence for tag in reply.tags] == sorted((tag.confidence for tag in reply.tags), reverse=True)


async def test_the_historical_version_gives_the_same_names_and_no_boxes(preparer, provider, dog) -> None:
    now, historical = [
        (await provider.tag(preparer.check(dog), TaggingParameters(version=version))).tags
        for version in (TaggingVersion.V2, TaggingVersion.V1)
    ]
    assert any(tag.instances for tag in now)
    assert [(tag.name, round(tag.confidence, 2)) for tag in historical] == [(tag.name, round(tag.confidence, 2)) for tag in now]
    assert not any(tag.instances or tag.localized_type.en for tag in historical)


async def test_threshold_and_limit_are_heeded(preparer, provider, dog) -> None:
    everything = await provider.tag(preparer.check(dog), TaggingParameters(threshold=0, limit=150))
    assert len(everything.tags) == 150
    assert len((await provider.tag(preparer.check(dog), TaggingParameters(threshold=0, limit=3))).tags) == 3
    assert (await provider.tag(preparer.check(dog), TaggingParameters(threshold=100))).tags == ()


@pytest.mark.parametrize("parameters", ENHANCEMENTS, ids=["dark-enhance", "defog", "super-resolution"])
@pytest.mark.parametrize(("kind", "result"), [("jpeg", "jpeg"), ("png", "png"), ("bmp", "png")])
async def test_an_enhanced_picture_is_of_the_format_that_was_sent(preparer, provider, small, parameters, kind, result) -> None:
    """But for BMP, which has no compression."""
    file = io.BytesIO()
    with Image.open(io.BytesIO(small.data)) as opened:
        opened.save(file, kind)
    reply = await provider.enhance(preparer.check(file.getvalue()), parameters)
    times = 3 if isinstance(parameters, UpscaleParameters) else 1
    with Image.open(io.BytesIO(reply.image)) as enhanced:
        assert (enhanced.format, enhanced.size) == (result.upper(), (96 * times, 64 * times))
    assert (reply.facts.format, reply.facts.width, reply.facts.height) == (result, 96 * times, 64 * times)
    assert reply.facts.size_bytes == len(reply.image)


async def test_brightness_is_heeded(provider, small) -> None:
    means = [
        pixels((await provider.enhance(small, DarkEnhanceParameters(brightness))).image).mean() for brightness in (0.1, 0.5, 0.9)
    ]
    assert means == sorted(means)
    assert means[0] + 2 < means[-1]


async def test_defogging_is_done_as_asked(provider, small) -> None:
    plain, stronger, bolder = [
        pixels((await provider.enhance(small, parameters)).image)
        for parameters in (DefogParameters(), DefogParameters(gamma=3.0), DefogParameters(natural_look=False))
    ]
    assert abs(stronger - plain).mean() > 2
    assert abs(bolder - plain).mean() > 0


async def test_scale_and_model_are_heeded(provider, small) -> None:
    wanted = [(scale, model) for scale in (3, 4) for model in UpscaleModel]
    made = [pixels((await provider.enhance(small, UpscaleParameters(*each))).image) for each in wanted]
    assert [each.shape for each in made] == [(64 * scale, 96 * scale, 3) for scale, _ in wanted]
    assert not np.array_equal(made[0], made[1])


async def test_music_is_named(subject, tune) -> None:
    reply = await subject.provider.recognize_music(subject.recording(tune, "tune.mp4"))
    assert reply.match.name == "Image Gateway - Harbour Lights"


async def test_what_is_no_recording(subject) -> None:
    """The cloud has one code for files of whatever kind."""
    error = await failure(subject.provider.recognize_music(subject.recording(b"no recording at all", "text")))
    assert error.reason is Reason.MEDIA_UNSUPPORTED


async def test_every_answer_says_how_it_came_about(subject, small, tune) -> None:
    provider = subject.provider
    replies = [
        await provider.tag(small, TaggingParameters()),
        await provider.enhance(small, DarkEnhanceParameters()),
        await provider.recognize_music(subject.recording(tune, "tune.mp4")),
    ]
    for reply in replies:
        assert (reply.provider, reply.attempts, reply.cache) == (provider.name, 1, CacheState.NONE)
        assert reply.work_time > 0
        assert 0 <= reply.queue_time < 1
        assert len(reply.request_ids) == (provider.name == "cloud")
    ids = [request_id for reply in replies for request_id in reply.request_ids]
    assert len(set(ids)) == len(ids)


@pytest.fixture
def broken(photos) -> PreparedImage:
    """A picture whose header is sound."""
    data = (photos / "cat.png").read_bytes()
    broken = data[:20000] + bytes(1000) + data[21000:]
    return PreparedImage(broken, ImageFacts("png", 451, 300, 1, len(broken)))


async def test_damage_within_a_picture_is_the_picture_s_fault(provider, broken) -> None:
    assert (await failure(provider.tag(broken, TaggingParameters()))).reason is Reason.IMAGE_DAMAGED


@pytest.mark.parametrize("parameters", ENHANCEMENTS, ids=["dark-enhance", "defog", "super-resolution"])
async def test_damage_within_a_picture_that_is_to_be_enhanced(provider, broken, parameters) -> None:
    """Of the historical operations the cloud says only that it could not get at the picture."""
    error = await failure(provider.enhance(broken, parameters))
    assert error.reason is (Reason.IMAGE_REJECTED if provider.name == "cloud" else Reason.IMAGE_DAMAGED)


async def test_a_picture_that_would_be_too_large_once_enlarged(preparer, provider) -> None:
    file = io.BytesIO()
    Image.new("RGB", (2200, 2000)).save(file, "JPEG")
    picture = preparer.check(file.getvalue())
    assert (await failure(provider.enhance(picture, UpscaleParameters(4)))).reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE


async def test_many_calls_at_once_are_all_answered(subject, preparer, photos, small, tune) -> None:
    provider = subject.provider
    images = [preparer.check((photos / name).read_bytes()) for name in ("castle.jpg", "cat.png", "clock.bmp", "stream.webp")]
    tagging = [partial(provider.tag, image, TaggingParameters(threshold=1)) for image in images]
    enhancing = [partial(provider.enhance, small, parameters) for parameters in ENHANCEMENTS]
    music = [partial(provider.recognize_music, subject.recording(tune, "tune.mp4"))]
    calls = tagging + enhancing + music
    replies = await asyncio.gather(*(call() for call in calls * 2))
    first, second = replies[: len(calls)], replies[len(calls) :]
    assert all(reply.tags for reply in first[: len(images)])
    assert [essence(reply) for reply in first] == [essence(reply) for reply in second]


def essence(reply: object) -> object:
    """What an answer says, without how it came about."""
    return next(getattr(reply, name) for name in ("tags", "image", "match") if hasattr(reply, name))


async def test_a_call_that_was_given_up_leaves_nothing_behind(provider, preparer, dog, small) -> None:
    calls = [asyncio.create_task(provider.enhance(preparer.check(dog), UpscaleParameters())) for _ in range(20)]
    await asyncio.sleep(0)
    for call in calls:
        call.cancel()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(end) for end in ends} == {asyncio.CancelledError}
    assert (await provider.tag(small, TaggingParameters())).tags


@pytest.mark.parametrize("seconds", [-1.0, 0.02])
async def test_a_deadline_ends_a_call(provider, preparer, dog, small, seconds) -> None:
    await provider.tag(small, TaggingParameters())
    call = Call(deadline=time.monotonic() + seconds)
    error = await failure(provider.enhance(preparer.check(dog), UpscaleParameters(), call))
    assert error.reason in {Reason.DEADLINE_EXCEEDED, Reason.DEADLINE_TOO_SHORT}
    assert (await provider.tag(small, TaggingParameters(), Call(deadline=time.monotonic() + 60))).tags
    assert (await provider.tag(small, TaggingParameters(), Call(deadline=math.inf))).tags
