import asyncio

import pytest

from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.media import (
    Box,
    ImageContent,
    ImageUri,
    LocalizedText,
    PreparedImage,
    Tag,
    TaggingParameters,
    TaggingReply,
    TagInstance,
)
from gateway.prepare import PrepareOptions
from gateway.prepare.options import UNTOUCHED
from gateway.usecases.chain import Chain
from gateway.usecases.intake import Intake
from gateway.usecases.tagging import TagImage

URI = "https://example.org/dog.jpg"


class Provider:
    name = "fake"

    def __init__(self, *, downloads_images: bool = False, decodes_here: bool = False, tags: tuple[Tag, ...] = ()) -> None:
        self.downloads_images = downloads_images
        self.decodes_here = decodes_here
        self.tags = tags
        self.images: list[PreparedImage | ImageUri] = []

    async def tag(self, image, parameters, call) -> TaggingReply:
        assert parameters == TaggingParameters(limit=7)
        self.images.append(image)
        return TaggingReply(self.name, self.tags)

    async def check(self) -> None: ...

    async def aclose(self) -> None: ...


class Fetcher:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.uris: list[str] = []

    async def fetch(self, uri: str, *, max_bytes: int | None = None) -> bytes:
        assert max_bytes is None  # the settings' limit is the right one for pictures
        self.uris.append(uri)
        return self.data


@pytest.fixture
def run(preparer):
    """Tags one picture with all repairs on."""

    async def run(provider, fetcher, source, options=None):
        intake = Intake(fetcher, preparer, options or PrepareOptions())
        return await TagImage(Chain([provider]), intake)(source, TaggingParameters(limit=7))

    return run


async def test_content_is_checked_and_handed_on_as_it_is(run, dog) -> None:
    provider, fetcher = Provider(downloads_images=False), Fetcher(b"")
    tagged = await run(provider, fetcher, ImageContent(dog))
    assert provider.images[0].data is dog
    assert (tagged.facts.width, tagged.facts.height, tagged.actions) == (800, 600, ())
    assert tagged.prepare_time > 0
    assert fetcher.uris == []


async def test_a_uri_is_downloaded_for_a_provider_that_wants_pictures(run, dog) -> None:
    provider, fetcher = Provider(downloads_images=False), Fetcher(dog)
    tagged = await run(provider, fetcher, ImageUri(URI))
    assert fetcher.uris == [URI]
    assert provider.images[0].data == dog
    assert tagged.facts.format == "jpeg"


async def test_a_uri_is_passed_on_to_a_provider_that_downloads_itself(run) -> None:
    provider, fetcher = Provider(downloads_images=True), Fetcher(b"")
    tagged = await run(provider, fetcher, ImageUri(URI))
    assert provider.images == [ImageUri(URI)]
    assert fetcher.uris == []
    assert tagged.facts is None


@pytest.mark.parametrize("source", [ImageContent(b"GIF89a....."), ImageUri(URI)])
async def test_a_bad_picture_never_reaches_the_provider(run, source) -> None:
    provider = Provider(downloads_images=False)
    with pytest.raises(GatewayError) as caught:
        await run(provider, Fetcher(b"GIF89a....."), source)
    assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    assert "GIF" in caught.value.message
    assert provider.images == []


async def test_what_is_too_large_is_made_fit_and_boxes_come_back_in_its_own_pixels(run, oversized_pictures) -> None:
    data, _ = oversized_pictures["huge.jpg"]
    cat = Tag("cat", 90.0, "object", LocalizedText(), instances=(TagInstance(Box(0, 0, 2048, 1229), 90.0),))
    provider = Provider(tags=(cat,))
    tagged = await run(provider, Fetcher(b""), ImageContent(data))
    assert (provider.images[0].sent.width, provider.images[0].sent.height) == (4096, 2458)
    assert (tagged.facts.width, tagged.facts.height) == (5000, 3000)
    assert tagged.actions == ("fit: 5000x3000 px to 4096x2458 px",)
    box = tagged.reply.tags[0].instances[0].box
    assert (box.left, box.top, box.width, box.height) == pytest.approx((0, 0, 2500, 1500), abs=1)


async def test_a_provider_that_decodes_here_gets_the_file_as_it_is(run, oversized_pictures) -> None:
    for data, _ in oversized_pictures.values():
        provider = Provider(decodes_here=True)
        tagged = await run(provider, Fetcher(b""), ImageContent(data))
        assert provider.images[0].data is data
        assert tagged.actions == ()


@pytest.mark.parametrize("decodes_here", [False, True])
async def test_a_check_tells_what_the_call_would_and_asks_nobody(preparer, oversized_pictures, decodes_here) -> None:
    for data, _ in oversized_pictures.values():
        provider = Provider(decodes_here=decodes_here)
        tag_image = TagImage(Chain([provider]), Intake(Fetcher(b""), preparer, PrepareOptions()))
        checked = await tag_image.validate(ImageContent(data))
        assert provider.images == []
        assert (checked.reply.provider, checked.reply.tags, checked.reply.attempts) == ("fake", (), 0)
        tagged = await tag_image(ImageContent(data), TaggingParameters(limit=7))
        assert (checked.facts, checked.actions) == (tagged.facts, tagged.actions)


@pytest.mark.parametrize("downloads_images", [False, True])
async def test_a_check_refuses_a_url_whose_signature_has_expired(preparer, dog, downloads_images) -> None:
    fetcher = Fetcher(dog)
    intake = Intake(fetcher, preparer, PrepareOptions())
    tag_image = TagImage(Chain([Provider(downloads_images=downloads_images)]), intake, clock=lambda: 1000.0)
    signed = URI + "?AccessKeyId=K&Signature=S&Expires="
    with pytest.raises(GatewayError) as caught:
        await tag_image.validate(ImageUri(signed + "900"))
    assert (caught.value.reason, fetcher.uris) == (Reason.URI_INVALID, [])
    checked = await tag_image.validate(ImageUri(signed + "1000"))
    assert (checked.facts is None) == downloads_images


async def test_a_check_is_bounded_by_its_deadline(preparer) -> None:
    class Slow(Fetcher):
        async def fetch(self, uri: str, *, max_bytes: int | None = None) -> bytes:
            await asyncio.Event().wait()
            raise AssertionError

    tag_image = TagImage(Chain([Provider()]), Intake(Slow(b""), preparer, PrepareOptions()))
    with pytest.raises(GatewayError) as caught:
        await tag_image.validate(ImageUri(URI), Call(deadline=asyncio.get_running_loop().time() + 0.01))
    assert caught.value.reason is Reason.DEADLINE_EXCEEDED


async def test_without_repairs_the_limits_hold(run, oversized_pictures) -> None:
    for data, reason in oversized_pictures.values():
        with pytest.raises(GatewayError) as caught:
            await run(Provider(decodes_here=True), Fetcher(b""), ImageContent(data), UNTOUCHED)
        assert caught.value.reason == reason
