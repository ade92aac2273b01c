import pytest

from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageUri, PreparedImage, ProviderReply, TaggingParameters
from gateway.usecases.tagging import TagImage

URI = "https://example.org/dog.jpg"


class Provider:
    name = "fake"

    def __init__(self, *, accepts_uris: bool) -> None:
        self.accepts_uris = accepts_uris
        self.images: list[PreparedImage | ImageUri] = []

    async def tag(self, image, parameters) -> ProviderReply:
        assert parameters == TaggingParameters(limit=7)
        self.images.append(image)
        return ProviderReply(self.name, ())

    async def check(self) -> None: ...

    async def aclose(self) -> None: ...


class Fetcher:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.uris: list[str] = []

    async def fetch(self, uri: str) -> bytes:
        self.uris.append(uri)
        return self.data


async def run(provider, fetcher, source):
    return await TagImage(provider, fetcher)(source, TaggingParameters(limit=7))


async def test_content_is_checked_and_handed_on_as_it_is(dog) -> None:
    provider, fetcher = Provider(accepts_uris=False), Fetcher(b"")
    tagged = await run(provider, fetcher, ImageContent(dog))
    assert provider.images[0].data is dog
    assert (tagged.facts.width, tagged.facts.height, tagged.actions) == (800, 600, ())
    assert tagged.prepare_time > 0
    assert fetcher.uris == []


async def test_a_uri_is_downloaded_for_a_provider_that_wants_pictures(dog) -> None:
    provider, fetcher = Provider(accepts_uris=False), Fetcher(dog)
    tagged = await run(provider, fetcher, ImageUri(URI))
    assert fetcher.uris == [URI]
    assert provider.images[0].data == dog
    assert tagged.facts.format == "jpeg"


async def test_a_uri_is_passed_on_to_a_provider_that_downloads_itself() -> None:
    provider, fetcher = Provider(accepts_uris=True), Fetcher(b"")
    tagged = await run(provider, fetcher, ImageUri(URI))
    assert provider.images == [ImageUri(URI)]
    assert fetcher.uris == []
    assert tagged.facts is None


@pytest.mark.parametrize("source", [ImageContent(b"GIF89a....."), ImageUri(URI)])
async def test_a_bad_picture_never_reaches_the_provider(source) -> None:
    provider = Provider(accepts_uris=False)
    with pytest.raises(GatewayError) as caught:
        await run(provider, Fetcher(b"GIF89a....."), source)
    assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    assert "GIF" in caught.value.message
    assert provider.images == []
