import pytest

from gateway.errors import GatewayError, Reason
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    EnhancementReply,
    ImageContent,
    ImageFacts,
    ImageUri,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.prepare import Convert, PrepareOptions
from gateway.prepare.options import UNTOUCHED
from gateway.usecases.chain import Chain
from gateway.usecases.enhancement import EnhanceImage
from gateway.usecases.intake import Intake


class Provider:
    name = "fake"
    downloads_images = True  # which concerns tagging only: a picture comes back, so one has to be sent
    decodes_here = False

    def __init__(self) -> None:
        self.asked = []

    async def enhance(self, image, parameters, call) -> EnhancementReply:
        self.asked.append((image, parameters))
        return EnhancementReply(self.name, b"better", ImageFacts("png", 1, 1, 1, 6))


class Fetcher:
    def __init__(self, data: bytes) -> None:
        self.data = data

    async def fetch(self, uri: str, *, max_bytes: int | None = None) -> bytes:
        assert (uri, max_bytes) == ("https://example.org/dog.jpg", None)
        return self.data


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def enhance(provider, preparer, dog):
    return EnhanceImage(Chain([provider]), Intake(Fetcher(dog), preparer, UNTOUCHED))


@pytest.mark.parametrize(
    "parameters", [DarkEnhanceParameters(0.0), DefogParameters(10.0, natural_look=False), UpscaleParameters(4)]
)
async def test_the_picture_and_its_parameters_reach_the_provider(enhance, provider, dog, parameters) -> None:
    enhanced = await enhance(ImageContent(dog), parameters)
    ((image, given),) = provider.asked
    assert (image.data, given) == (dog, parameters)
    assert (enhanced.reply.image, enhanced.facts.width, enhanced.facts.height) == (b"better", 800, 600)
    assert enhanced.prepare_time > 0


async def test_a_url_is_downloaded_whoever_the_provider_is(enhance, provider, dog) -> None:
    await enhance(ImageUri("https://example.org/dog.jpg"), DarkEnhanceParameters())
    assert provider.asked[0][0].data == dog


async def test_a_picture_that_the_operation_does_not_take_is_made_fit_where_it_may_be(provider, preparer, photos) -> None:
    webp = ImageContent((photos / "stream.webp").read_bytes())
    enhance = EnhanceImage(Chain([provider]), Intake(Fetcher(b""), preparer, PrepareOptions()))
    await enhance(webp, DefogParameters())
    await enhance(webp, UpscaleParameters())
    assert provider.asked[0][0].sent is None
    assert provider.asked[1][0].sent.format in {"jpeg", "png"}
    never = EnhanceImage(Chain([provider]), Intake(Fetcher(b""), preparer, PrepareOptions(convert=Convert.NEVER)))
    with pytest.raises(GatewayError) as caught:
        await never(webp, UpscaleParameters())
    assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED


async def test_what_was_done_to_make_it_fit_is_told(provider, preparer, dog) -> None:
    enhance = EnhanceImage(Chain([provider]), Intake(Fetcher(b""), preparer, PrepareOptions(max_side=400)))
    enhanced = await enhance(ImageContent(dog), DefogParameters())
    assert (provider.asked[0][0].sent.width, provider.asked[0][0].sent.height) == (400, 300)
    assert any(action.startswith("fit") for action in enhanced.actions)


@pytest.mark.parametrize(
    ("make", "field", "allowed"),
    [
        (lambda: DarkEnhanceParameters(1.01), "brightness", "0 to 1"),
        (lambda: DarkEnhanceParameters(-0.01), "brightness", "0 to 1"),
        (lambda: DarkEnhanceParameters(float("nan")), "brightness", "0 to 1"),
        (lambda: DefogParameters(0.09), "gamma", "0.1 to 10"),
        (lambda: DefogParameters(float("inf")), "gamma", "0.1 to 10"),
        (lambda: UpscaleParameters(2), "scale", "3 or 4"),
        (lambda: UpscaleParameters(5, UpscaleModel.SRCNN), "scale", "3 or 4"),
    ],
)
def test_parameters_out_of_range_are_named(make, field, allowed) -> None:
    with pytest.raises(GatewayError) as caught:
        make()
    error = caught.value
    assert (error.reason, error.field, error.allowed) == (Reason.INVALID_ARGUMENT, field, allowed)
    assert error.measured in error.message


def test_defaults_are_the_contract_s() -> None:
    assert DarkEnhanceParameters() == DarkEnhanceParameters(0.9)
    assert DefogParameters() == DefogParameters(1.5, natural_look=True)
    assert UpscaleParameters() == UpscaleParameters(3, UpscaleModel.ESPCN)
