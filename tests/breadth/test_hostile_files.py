"""Bombs, stumps, garbage: each costs at most its own call, and the worker's limits hold where Pillow's own do not."""

import random
import re
import struct
import zlib

import pytest
from PIL import Image

from gateway.breadth.pool import BreadthPool
from gateway.breadth.reply import ForeignImage
from gateway.breadth.settings import BreadthSettings
from gateway.errors import GatewayError, Reason

from .conftest import PYTHON
from .pictures import PIXELS, encoded, gradient, png, png_chunk, tiff

KINDS = ("GIF", "TIFF", "BMP", "PNG", "JPEG", "WEBP")


async def refusal(pool: BreadthPool, data: bytes, max_pixels: int = PIXELS) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await pool.decode(data, max_pixels=max_pixels)
    assert not re.search(r"/|0x|\.py|Error|BytesIO", caught.value.message)
    assert caught.value.field == "content"
    return caught.value


async def assert_goes_on(pool: BreadthPool) -> None:
    image = await pool.decode(encoded(gradient("L"), "TIFF"), max_pixels=PIXELS)
    assert Image.frombytes("RGB", (40, 30), image.pixels).tobytes() == gradient("L").convert("RGB").tobytes()


def claiming(kind: str, side: int) -> bytes:
    """A file whose header claims `side` × `side` pixels."""
    if kind == "PNG":
        return png(side, side, b"")
    if kind == "TIFF":
        return tiff({256: (side,), 257: (side,), 258: (8,), 259: (1,), 262: (1,), 277: (1,), 278: (side,)}, b"\0")
    data = bytearray(encoded(Image.new("L", (8, 8)), kind))
    if kind == "GIF":
        data[6:10] = struct.pack("<HH", side, side)
    elif kind == "GIF frame":
        at = data.index(b",")
        data[at + 5 : at + 9] = struct.pack("<HH", side, side)
    elif kind == "BMP":
        data[18:26] = struct.pack("<ii", side, side)
    elif kind == "JPEG":
        at = data.index(b"\xff\xc0")
        data[at + 5 : at + 9] = struct.pack(">HH", side, side)
    return bytes(data)


@pytest.mark.parametrize(
    ("kind", "side"), [("PNG", 100_000), ("TIFF", 100_000), ("BMP", 100_000), ("GIF", 65_535), ("JPEG", 65_500), ("PNG", 5000)]
)
async def test_headers_that_claim_too_much(pool, kind, side) -> None:
    error = await refusal(pool, claiming(kind, side))
    assert error.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE
    assert (error.measured, error.allowed) == (f"{side * side} pixels", f"at most {PIXELS} pixels")
    await assert_goes_on(pool)


async def test_a_header_that_claims_more_than_can_be_told(pool) -> None:
    """A BigTIFF has room for sides of 64 bits."""
    side = (1 << 64) - 1
    tags = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 277: 1, 278: side, 273: 8, 279: 1}
    entries = b"".join(struct.pack("<HHQQ", tag, 16, 1, value) for tag, value in sorted(tags.items()))
    data = b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, len(tags)) + entries + bytes(8)
    assert (await refusal(pool, data)).reason in {Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE, Reason.IMAGE_DAMAGED}
    await assert_goes_on(pool)


async def test_a_frame_larger_than_its_gif(pool) -> None:
    data = bytearray(encoded(Image.new("L", (8, 8)), "GIF"))
    at = data.index(b",")
    data[at + 5 : at + 9] = struct.pack("<HH", 60_000, 60_000)
    assert (await refusal(pool, bytes(data))).reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE


@pytest.mark.parametrize("kind", KINDS)
async def test_the_budget_is_exact(pool, kind) -> None:
    data = encoded(Image.new("L", (20, 30)), kind)
    assert (await pool.decode(data, max_pixels=600)).width == 20
    assert (await refusal(pool, data, 599)).reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE


async def test_data_beyond_the_last_row_of_a_png_is_not_unpacked(pool) -> None:
    rows = (b"\0" + bytes(30)) * 10
    image = await pool.decode(png(10, 10, rows + bytes(200 << 20)), max_pixels=PIXELS)
    assert (image.width, image.height) == (10, 10)


@pytest.mark.parametrize("kind", [b"iCCP", b"zTXt"])
async def test_metadata_that_are_bombs(settings, kind) -> None:
    chunk = png_chunk(kind, b"name\0\0" + zlib.compress(bytes(300 << 20), 9))
    data = png(1, 1, b"\0\1\2\3", before=chunk)
    async with BreadthPool(settings.model_copy(update={"memory": 256 << 20})) as pool:
        try:
            image = await pool.decode(data, max_pixels=PIXELS)
        except GatewayError as error:
            assert error.reason is Reason.IMAGE_DAMAGED  # noqa: PT017 - either will do; that it is neither memory nor time is the point
        else:
            assert image.pixels == b"\1\2\3"


@pytest.mark.parametrize("side", [50_000, 65_520])
async def test_a_tiff_whose_tiles_are_bombs(pool, side) -> None:
    tags = {256: (16,), 257: (16,), 258: (8,), 259: (8,), 262: (1,), 277: (1,), 278: (16,), 322: (side,), 323: (side,)}
    data = tiff(tags, zlib.compress(bytes(64 << 20), 9))
    assert (await refusal(pool, data)).reason in {Reason.IMAGE_DAMAGED, Reason.IMAGE_REJECTED}
    await assert_goes_on(pool)


async def test_the_memory_limit_bites(settings) -> None:
    side = 12_000
    data = encoded(Image.new("L", (side, side)), "PNG")
    assert len(data) < 500_000
    async with BreadthPool(settings.model_copy(update={"memory": 256 << 20})) as pool:
        error = await refusal(pool, data, side * side)
        assert error.reason is Reason.IMAGE_REJECTED
        assert (error.measured, error.allowed) == ("more memory", "at most 256 MiB")
        await assert_goes_on(pool)


async def test_memory_does_not_add_up_from_picture_to_picture(settings) -> None:
    data = encoded(Image.new("L", (3000, 3000)), "TIFF", compression="tiff_lzw")
    async with BreadthPool(settings.model_copy(update={"memory": 256 << 20})) as pool:
        for _ in range(8):
            await pool.decode(data, max_pixels=PIXELS)
        assert pool._idle[0].asked == 8


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
async def test_files_that_are_cut_short(pool, kind, share) -> None:
    data = encoded(Image.effect_noise((60, 60), 90).convert("RGB"), kind)
    assert (await refusal(pool, data[: int(len(data) * share)])).reason is Reason.IMAGE_DAMAGED
    await assert_goes_on(pool)


@pytest.mark.parametrize(
    "magic", [b"GIF89a", b"II*\0", b"MM\0*", b"BM", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\1\0\0\0WEBP"]
)
async def test_garbage(pool, magic) -> None:
    data = magic + random.Random(7).randbytes(4000)  # noqa: S311 - reproducible is what it must be
    assert (await refusal(pool, data)).reason in {Reason.IMAGE_DAMAGED, Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE}


@pytest.mark.parametrize("data", [b"\0", b"hello", b"%PDF-1.4", b"GIF88a" + bytes(100), b"RIFF\1\0\0\0WAVE"])
async def test_what_is_no_picture_reaches_no_worker(pool, data) -> None:
    assert (await refusal(pool, data)).reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    assert not pool._idle


def seeds() -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = gradient(size=(24, 18))
    frames = [picture, picture.rotate(180)]
    return [
        encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        encoded(picture, "TIFF", compression="tiff_lzw", exif=exif),
        encoded(picture, "TIFF", compression="jpeg"),
        encoded(picture.convert("1"), "TIFF", compression="group4"),
        encoded(picture.convert("I"), "TIFF"),
        encoded(picture.convert("CMYK"), "TIFF", compression="packbits"),
        encoded(picture.convert("P"), "BMP"),
        encoded(picture, "PNG", exif=exif),
        encoded(picture.convert("CMYK"), "JPEG"),
        encoded(picture, "WEBP", exif=exif),
    ]


@pytest.mark.parametrize("number", range(10))
async def test_mutations_give_a_picture_or_a_refusal(number) -> None:
    chance = random.Random(number)  # noqa: S311 - likewise
    seed = seeds()[number]
    known = {Reason.IMAGE_DAMAGED, Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE, Reason.IMAGE_REJECTED, Reason.IMAGE_FORMAT_UNSUPPORTED}
    async with BreadthPool(BreadthSettings(python=PYTHON, timeout=5)) as pool:
        for _ in range(60):
            data = bytearray(seed)
            for _ in range(chance.randint(1, 6)):
                at = chance.randrange(8 if number else 6, len(data))
                data[at] = chance.choice([0, 0xFF, 0x7F, 0x80, chance.randrange(256), data[at] ^ 1 << chance.randrange(8)])
            if chance.random() < 0.2:
                del data[chance.randrange(len(data)) :]
            try:
                image = await pool.decode(bytes(data), max_pixels=1 << 20)
            except GatewayError as error:
                assert error.reason in known | {Reason.IMAGE_EMPTY}  # noqa: PT017 - both outcomes are fine
            else:
                assert isinstance(image, ForeignImage)
                assert len(image.pixels) in {image.width * image.height * channels for channels in (3, 4)}
        await assert_goes_on(pool)
