import io
import struct
import zlib

import pytest
from PIL import Image

from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageFacts, ImageUri, PreparationAction
from gateway.prepare import Alpha, Convert, Operation, PrepareOptions
from gateway.usecases.preprocessing import REFUSALS, Inspection, PreparationPlan, Preprocess

URI = "https://example.org/dog.jpg"
DEFAULTS = PrepareOptions()


class Fetcher:
    def __init__(self, data: bytes | GatewayError) -> None:
        self.data = data

    async def fetch(self, uri: str) -> bytes:
        assert uri == URI
        if isinstance(self.data, GatewayError):
            raise self.data
        return self.data


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def photograph(size: tuple[int, int] = (300, 200), *, mode: str = "RGB", orientation: int = 1, quality: int = 90) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a description"
    return encoded(Image.effect_noise(size, 80).convert(mode), "JPEG", quality=quality, exif=exif)


def deep_png() -> bytes:
    """Four channels of 16 bits."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress((b"\0" + bytes(64 * 8)) * 64)
    header = struct.pack(">IIBBBBB", 64, 64, 16, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.fixture
def preprocess(preparer) -> Preprocess:
    return Preprocess(Fetcher(b""), preparer, allow_other_formats=False)


async def inspect(preprocess, data: bytes, options: PrepareOptions = DEFAULTS, operation=Operation.TAGGING) -> Inspection:
    return await preprocess.inspect(ImageContent(data), operation, options)


async def test_a_picture_that_needs_nothing(preprocess, dog) -> None:
    inspection = await inspect(preprocess, dog)
    assert inspection.verdict == PreparationPlan((), 800, 600, is_rewritten=False)
    assert inspection.facts == ImageFacts("jpeg", 800, 600, 1, len(dog))
    encoding = inspection.encoding
    assert (encoding.name, encoding.color, encoding.bit_depth, encoding.has_alpha, encoding.is_animated) == (
        "progressive",
        "ycbcr",
        8,
        False,
        False,
    )
    preparation = await preprocess.prepare(ImageContent(dog), Operation.TAGGING, DEFAULTS)
    assert preparation.image.data is dog
    assert preparation.prepare_time > 0


TALL = photograph((200, 400), orientation=6)
FLAT = encoded(Image.new("RGB", (400, 300), (10, 200, 30)), "JPEG")


@pytest.mark.parametrize(
    ("data", "options", "operation"),
    [
        (TALL, PrepareOptions(), Operation.TAGGING),
        (TALL, PrepareOptions(strip_metadata=False), Operation.TAGGING),
        (TALL, PrepareOptions(full_decode=True), Operation.TAGGING),
        (TALL, PrepareOptions(max_side=100), Operation.TAGGING),
        (TALL, PrepareOptions(max_side=100, rotate=False), Operation.TAGGING),
        (photograph(mode="CMYK"), PrepareOptions(), Operation.DEFOG),
        (photograph(mode="CMYK", orientation=8), PrepareOptions(max_side=64), Operation.TAGGING),
        (encoded(Image.new("LA", (64, 64)), "PNG"), PrepareOptions(), Operation.TAGGING),
        (encoded(Image.new("RGBA", (64, 64)), "PNG"), PrepareOptions(convert=Convert.ALWAYS), Operation.TAGGING),
        (encoded(Image.new("RGBA", (64, 64)), "PNG"), PrepareOptions(alpha=Alpha.KEEP), Operation.TAGGING),
        (encoded(Image.new("RGB", (64, 64)), "WEBP"), PrepareOptions(), Operation.SUPER_RESOLUTION),
        (deep_png(), PrepareOptions(), Operation.TAGGING),
        (deep_png(), PrepareOptions(alpha=Alpha.KEEP, max_side=32), Operation.TAGGING),
        (encoded(Image.new("RGBA", (64, 64)), "WEBP"), PrepareOptions(max_side=32), Operation.SUPER_RESOLUTION),
    ],
)
async def test_the_plan_is_what_preparation_then_does(preprocess, data, options, operation) -> None:
    inspection = await inspect(preprocess, data, options, operation)
    image = (await preprocess.prepare(ImageContent(data), operation, options)).image
    sent = image.sent or image.facts
    plan = inspection.verdict
    assert (plan.actions, plan.width, plan.height) == (image.actions, sent.width, sent.height)
    assert inspection.facts == image.facts
    assert plan.is_rewritten == bool({action.name for action in image.actions} - {"strip_metadata"})


async def test_all_that_headers_tell_to_convert_is_told(preprocess) -> None:
    plan = (await inspect(preprocess, deep_png())).verdict
    assert [str(action) for action in plan.actions] == ["convert: more than 8 bits", "convert: alpha"]


async def test_a_file_that_is_too_long_is_shrunk(preprocess) -> None:
    data = photograph(orientation=6)
    options = PrepareOptions(max_bytes=len(data) // 2)
    plan = (await inspect(preprocess, data, options)).verdict
    assert plan.actions == (
        PreparationAction("rotate", "from EXIF orientation 6"),
        PreparationAction("shrink", f"{len(data)} bytes to at most {len(data) // 2} bytes"),
    )
    assert plan.is_rewritten
    image = (await preprocess.prepare(ImageContent(data), Operation.TAGGING, options)).image
    assert [action.name for action in image.actions] == ["rotate", "shrink"]
    assert image.sent.size_bytes <= len(data) // 2
    assert image.sent.width <= plan.width == 200


async def test_a_file_that_is_short_enough_without_its_metadata_keeps_its_pixels(preprocess) -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 5000
    data = encoded(Image.new("RGB", (64, 64)), "JPEG", exif=exif)
    plan = (await inspect(preprocess, data, PrepareOptions(max_bytes=2000))).verdict
    assert [action.name for action in plan.actions] == ["strip_metadata"]
    assert not plan.is_rewritten


async def test_a_bad_picture_is_an_answer_with_what_preparing_it_would_say(preprocess, bad_pictures) -> None:
    for data, reason in bad_pictures.values():
        inspection = await inspect(preprocess, data)
        with pytest.raises(GatewayError) as caught:
            await preprocess.prepare(ImageContent(data), Operation.TAGGING, DEFAULTS)
        verdict = inspection.verdict
        assert verdict.reason.value == reason
        assert verdict.reason in REFUSALS
        assert (verdict.message, verdict.measured) == (caught.value.message, caught.value.measured)


async def test_what_is_refused_for_its_size_is_described_nevertheless(preprocess) -> None:
    inspection = await inspect(preprocess, encoded(Image.new("P", (14, 20)), "PNG"))
    assert inspection.verdict.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE
    assert (inspection.facts.width, inspection.facts.height, inspection.encoding.color) == (14, 20, "palette")


@pytest.mark.parametrize(
    ("data", "options", "reason"),
    [
        (photograph((300, 5000)), PrepareOptions(fit=False), Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE),
        (photograph(mode="CMYK"), PrepareOptions(convert=Convert.NEVER), Reason.IMAGE_FORMAT_UNSUPPORTED),
        (photograph(), PrepareOptions(shrink=False, max_bytes=1024), Reason.IMAGE_TOO_LARGE),
    ],
)
async def test_a_repair_that_is_switched_off_is_a_refusal(preprocess, data, options, reason) -> None:
    assert (await inspect(preprocess, data, options)).verdict.reason is reason


async def test_a_picture_behind_a_url(preparer, dog) -> None:
    preprocess = Preprocess(Fetcher(dog), preparer, allow_other_formats=False)
    assert (await preprocess.inspect(ImageUri(URI), Operation.TAGGING, DEFAULTS)).facts.width == 800
    assert (await preprocess.prepare(ImageUri(URI), Operation.TAGGING, DEFAULTS)).image.data == dog


@pytest.mark.parametrize("reason", [Reason.URI_DOWNLOAD_FAILED, Reason.IMAGE_TOO_LARGE])
async def test_a_picture_that_cannot_be_had_is_a_failure(preparer, reason) -> None:
    preprocess = Preprocess(Fetcher(GatewayError(reason, "no")), preparer, allow_other_formats=False)
    with pytest.raises(GatewayError) as caught:
        await preprocess.inspect(ImageUri(URI), Operation.TAGGING, DEFAULTS)
    assert caught.value.reason is reason


async def test_other_formats_are_the_operator_s_to_allow(preprocess) -> None:
    options = PrepareOptions(allow_other_formats=True)
    for call in (preprocess.inspect, preprocess.prepare):
        with pytest.raises(GatewayError) as caught:
            await call(ImageContent(FLAT), Operation.TAGGING, options)
        assert (caught.value.reason, caught.value.field) == (Reason.INVALID_ARGUMENT, "options.allow_other_formats")
        assert "prepare.allow_other_formats" in caught.value.message


class ForeignPreparer:
    """Prepares what the core does not read, as one with decoders for other formats."""

    def __init__(self, outcome) -> None:
        self.outcome = outcome

    async def prepare(self, data: bytes, operation, options):
        if isinstance(self.outcome, GatewayError):
            raise self.outcome
        return self.outcome


GIF = encoded(Image.new("P", (64, 48)), "GIF")


async def test_another_format_is_described_by_its_decoder(preparer) -> None:
    image = await preparer.prepare(FLAT, options=PrepareOptions(max_side=40))
    preprocess = Preprocess(Fetcher(b""), ForeignPreparer(image), allow_other_formats=True)
    inspection = await inspect(preprocess, GIF, PrepareOptions(allow_other_formats=True))
    assert inspection == Inspection(PreparationPlan(image.actions, 40, 30, is_rewritten=True), image.facts)


@pytest.mark.parametrize("reason", [Reason.IMAGE_DAMAGED, Reason.INTERNAL])
async def test_what_its_decoder_complains_of(reason) -> None:
    preprocess = Preprocess(Fetcher(b""), ForeignPreparer(GatewayError(reason, "no")), allow_other_formats=True)
    options = PrepareOptions(allow_other_formats=True)
    if reason in REFUSALS:
        assert (await inspect(preprocess, GIF, options)).verdict.reason is reason
    else:
        with pytest.raises(GatewayError):
            await inspect(preprocess, GIF, options)
