import os
import struct

import pytest
from PIL import Image, ImageCms

from gateway.breadth.pool import BreadthPool
from gateway.breadth.reply import ForeignImage
from gateway.breadth.settings import BreadthSettings
from gateway.breadth.worker.wire import Note
from gateway.errors import GatewayError, Reason

from .conftest import PYTHON
from .pictures import PIXELS, encoded, gradient, png, png_chunk, tiff


def has_alpha(image: ForeignImage) -> bool:
    return len(image.pixels) == image.width * image.height * 4


def opened(image: ForeignImage) -> Image.Image:
    return Image.frombytes("RGBA" if has_alpha(image) else "RGB", (image.width, image.height), image.pixels)


def assert_alike(image: ForeignImage, expected: Image.Image, *, within: int = 0) -> None:
    shown = opened(image)
    assert (shown.size, shown.mode) == (expected.size, expected.mode)
    differences = [abs(a - b) for a, b in zip(shown.tobytes(), expected.tobytes(), strict=True)]
    assert max(differences) <= within


@pytest.mark.skipif("BREADTH_TEST_VERSION" not in os.environ, reason="make test-breadth says which PIL must be found")
async def test_the_worker_runs_the_pil_that_is_meant(pool, caplog) -> None:
    with caplog.at_level("INFO"):
        await pool.decode(encoded(gradient(), "GIF"), max_pixels=PIXELS)
    assert f"PIL '{os.environ['BREADTH_TEST_VERSION']}'" in caplog.text
    assert "'jpg, zlib, libtiff, webp, littlecms2'" in caplog.text


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "packbits"}),
        ("TIFF", {"big_tiff": True}),
        ("BMP", {}),
        ("PNG", {}),
        ("WEBP", {"lossless": True, "exact": True}),
    ],
)
async def test_lossless_files_come_out_as_they_went_in(pool, kind, options) -> None:
    picture = gradient()
    image = await pool.decode(encoded(picture, kind, **options), max_pixels=PIXELS)
    assert_alike(image, picture)
    assert (image.format, image.orientation, image.notes) == (kind.lower(), 1, ())


async def test_a_jpeg(pool) -> None:
    picture = gradient()
    image = await pool.decode(encoded(picture, "JPEG", quality=95, progressive=True), max_pixels=PIXELS)
    assert_alike(image, picture, within=12)
    assert image.format == "jpeg"


async def test_a_tiff_with_jpeg_inside(pool) -> None:
    picture = gradient()
    image = await pool.decode(encoded(picture, "TIFF", compression="jpeg", quality=95), max_pixels=PIXELS)
    assert_alike(image, picture, within=24)


async def test_of_an_animation_the_first_frame(pool) -> None:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "green", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    image = await pool.decode(data, max_pixels=PIXELS)
    assert_alike(image, frames[0])
    assert image.notes == (Note.FIRST_FRAME,)


async def test_of_several_pages_the_first(pool) -> None:
    pages = [Image.new("L", (30, 20), shade) for shade in (10, 20)]
    image = await pool.decode(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]), max_pixels=PIXELS)
    assert_alike(image, pages[0].convert("RGB"))
    assert image.notes == (Note.FIRST_FRAME,)


async def test_a_damaged_second_frame_does_not_matter(pool) -> None:
    frames = [gradient(), Image.new("RGB", (40, 30), "green")]
    whole = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    alone = encoded(frames[0], "GIF")
    image = await pool.decode(whole[: len(alone) + 8], max_pixels=PIXELS)
    assert_alike(image, frames[0].convert("P", palette=Image.Palette.ADAPTIVE).convert("RGB"), within=40)


async def test_a_transparent_gif_keeps_its_alpha(pool) -> None:
    picture = Image.new("RGBA", (20, 10), (200, 10, 10, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 10, 10))
    image = await pool.decode(encoded(picture, "GIF"), max_pixels=PIXELS)
    assert has_alpha(image)
    shown = opened(image)
    assert shown.getpixel((5, 5))[3] == 0
    assert shown.getpixel((15, 5)) == (200, 10, 10, 255)


async def test_alpha_that_hides_nothing_is_left_out(pool) -> None:
    picture = gradient()
    picture.putalpha(255)
    image = await pool.decode(encoded(picture, "TIFF"), max_pixels=PIXELS)
    assert_alike(image, gradient())


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
async def test_alpha_is_kept_as_it_is(pool, mode) -> None:
    picture = gradient(mode)
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    image = await pool.decode(encoded(picture, "TIFF"), max_pixels=PIXELS)
    assert_alike(image, picture.convert("RGBA"))


@pytest.mark.parametrize("mode", ["1", "L", "P"])
@pytest.mark.parametrize("kind", ["TIFF", "BMP", "PNG"])
async def test_modes_that_are_not_rgb(pool, mode, kind) -> None:
    picture = gradient(mode)
    image = await pool.decode(encoded(picture, kind), max_pixels=PIXELS)
    assert_alike(image, picture.convert("RGB"))


async def test_bilevel_fax(pool) -> None:
    picture = gradient("1", (64, 40))
    image = await pool.decode(encoded(picture, "TIFF", compression="group4"), max_pixels=PIXELS)
    assert_alike(image, picture.convert("RGB"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG", "WEBP"])
async def test_pictures_come_out_upright(pool, orientation, kind) -> None:
    stored = Image.new("L", (32, 16), 0)
    stored.paste(255, (0, 0, 16, 8))  # bright where the stored top left is
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = await pool.decode(encoded(stored, kind, exif=exif), max_pixels=PIXELS)
    right, bottom = orientation in {2, 3, 7, 6}, orientation in {3, 4, 7, 8}
    assert (image.width, image.height) == ((32, 16) if orientation < 5 else (16, 32))
    shown = opened(image).convert("L")
    corners = [shown.getpixel((x, y)) > 128 for y in (2, image.height - 3) for x in (2, image.width - 3)]
    assert corners.index(True) == 2 * bottom + right
    assert sum(corners) == 1
    assert image.orientation == orientation
    assert image.notes == ((Note.UPRIGHT,) if orientation > 1 else ())


async def test_16_bit_grey_is_scaled_and_not_cut_off(pool) -> None:
    samples = [0, 256, 257 * 100, 65535, 32768, 300]
    data = tiff({256: (6,), 257: (1,), 258: (16,), 259: (1,), 262: (1,), 277: (1,), 278: (1,)}, struct.pack("<6H", *samples))
    image = await pool.decode(data, max_pixels=PIXELS)
    assert list(image.pixels[::3]) == [0, 1, 100, 255, 128, 1]
    assert image.pixels[::3] == image.pixels[1::3] == image.pixels[2::3]
    assert image.notes == (Note.REDUCED,)


@pytest.mark.parametrize("order", ["<", ">"])
async def test_16_bit_grey_in_either_byte_order(pool, order) -> None:
    tags = {256: (2,), 257: (1,), 258: (16,), 259: (1,), 262: (1,), 277: (1,), 278: (1,)}
    image = await pool.decode(tiff(tags, struct.pack(f"{order}2H", 0x4080, 0xFF00), order), max_pixels=PIXELS)
    assert list(image.pixels[::3]) == [64, 254]


async def test_16_bit_grey_whose_white_is_zero(pool) -> None:
    tags = {256: (2,), 257: (1,), 258: (16,), 259: (1,), 262: (0,), 277: (1,), 278: (1,)}
    image = await pool.decode(tiff(tags, struct.pack("<2H", 0, 0xFFFF)), max_pixels=PIXELS)
    assert list(image.pixels[::3]) == [255, 0]


async def test_12_bit_grey(pool) -> None:
    tags = {256: (2,), 257: (1,), 258: (12,), 259: (1,), 262: (1,), 277: (1,), 278: (1,)}
    image = await pool.decode(tiff(tags, bytes([0xFF, 0xF8, 0x00])), max_pixels=PIXELS)
    assert list(image.pixels[::3]) == [255, 128]


async def test_16_bit_grey_png_with_a_transparent_shade(pool) -> None:
    shade = b"\0\0\0\7"
    chunk = png_chunk(b"tRNS", shade[2:])
    image = await pool.decode(png(2, 1, b"\0" + shade, color=0, depth=16, before=chunk), max_pixels=PIXELS)
    assert image.pixels == bytes([0, 0, 0, 255, 0, 0, 0, 0])


async def test_floats_within_0_to_1_are_taken_as_they_are(pool) -> None:
    picture = Image.new("F", (3, 1))
    picture.putdata([0.25, 0.5, 0.75])
    image = await pool.decode(encoded(picture, "TIFF"), max_pixels=PIXELS)
    assert list(image.pixels[::3]) == [64, 128, 191]
    assert image.notes == (Note.REDUCED,)


@pytest.mark.parametrize(("mode", "samples"), [("F", [-1000.0, 0.0, 1000.0]), ("I", [-(2**30), 0, 2**30])])
async def test_samples_without_a_white_are_stretched(pool, mode, samples) -> None:
    picture = Image.new(mode, (3, 1))
    picture.putdata(samples)
    image = await pool.decode(encoded(picture, "TIFF"), max_pixels=PIXELS)
    assert list(image.pixels[::3]) == [0, 128, 255]
    assert image.notes == (Note.STRETCHED,)


async def test_a_single_shade_has_nothing_to_be_stretched_between(pool) -> None:
    image = await pool.decode(encoded(Image.new("I", (3, 2), 70000), "TIFF"), max_pixels=PIXELS)
    assert set(image.pixels) == {0}


@pytest.mark.parametrize("sample", ["inf", "-inf"])
async def test_samples_that_are_not_finite(pool, sample) -> None:
    picture = Image.new("F", (3, 2), 0.5)
    picture.putpixel((1, 1), float(sample))
    with pytest.raises(GatewayError) as caught:
        await pool.decode(encoded(picture, "TIFF"), max_pixels=PIXELS)
    assert caught.value.reason is Reason.IMAGE_DAMAGED


async def test_cmyk_without_a_profile(pool) -> None:
    picture = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    image = await pool.decode(encoded(picture, "TIFF"), max_pixels=PIXELS)
    assert opened(image).getpixel((1, 1)) == (0, 255, 255)
    assert image.notes == (Note.CMYK,)


async def test_a_cmyk_jpeg_is_not_shown_as_its_negative(pool) -> None:
    image = await pool.decode(encoded(Image.new("CMYK", (16, 16), (0, 0, 0, 0)), "JPEG"), max_pixels=PIXELS)
    assert min(image.pixels) > 250


async def test_lab(pool) -> None:
    picture = Image.new("LAB", (4, 4), (255, 128, 128))
    image = await pool.decode(encoded(picture, "TIFF"), max_pixels=PIXELS)
    assert min(image.pixels) > 245


def swapped_profile() -> bytes:
    """sRGB with red and blue swapped: no subtle difference."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    places = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, blue = places[b"rXYZ"], places[b"bXYZ"]
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    described = profile.find("sRGB".encode("utf-16-be"))
    profile[described : described + 8] = "SWAP".encode("utf-16-be")
    return bytes(profile)


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG", "WEBP"])
async def test_a_profile_is_applied(pool, kind) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(Image.new("RGB", (16, 16), (255, 0, 0)), kind, icc_profile=swapped_profile(), **options)
    image = await pool.decode(data, max_pixels=PIXELS)
    red, green, blue = opened(image).getpixel((8, 8))
    assert (red < 10, green < 10, blue > 245) == (True, True, True)
    assert image.notes == (Note.PROFILE,)


async def test_a_profile_is_applied_to_a_palette_and_leaves_alpha(pool) -> None:
    picture = Image.new("P", (4, 4), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.putpixel((0, 0), 0)
    image = await pool.decode(encoded(picture, "PNG", icc_profile=swapped_profile(), transparency=0), max_pixels=PIXELS)
    shown = opened(image)
    assert shown.getpixel((2, 2))[2] > 245
    assert (shown.getpixel((2, 2))[3], shown.getpixel((0, 0))[3]) == (255, 0)


@pytest.mark.parametrize("profile", [b"no profile", swapped_profile()[:200], b"\0" * 3000])
async def test_a_damaged_profile_is_ignored(pool, profile) -> None:
    picture = gradient()
    image = await pool.decode(encoded(picture, "TIFF", icc_profile=profile), max_pixels=PIXELS)
    assert_alike(image, picture)
    assert image.notes == (Note.PROFILE_IGNORED,)


async def test_a_profile_for_another_space_is_ignored(pool) -> None:
    picture = Image.new("CMYK", (4, 4), (255, 0, 0, 0))
    image = await pool.decode(encoded(picture, "TIFF", icc_profile=swapped_profile()), max_pixels=PIXELS)
    assert image.notes == (Note.PROFILE_IGNORED, Note.CMYK)


async def test_srgb_needs_no_conversion(pool) -> None:
    picture = gradient()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = await pool.decode(encoded(picture, "TIFF", icc_profile=profile), max_pixels=PIXELS)
    assert_alike(image, picture)
    assert image.notes == ()


def bmp_16(masks: tuple[int, int, int] | None, pixels: list[int]) -> bytes:
    size = 40 if masks is None else 52
    body = struct.pack(f"<{len(pixels)}H", *pixels)
    compression = 0 if masks is None else 3
    head = struct.pack("<IiiHHIIiiII", 40, len(pixels), 1, 1, 16, compression, len(body), 0, 0, 0, 0)
    head += struct.pack("<3I", *masks) if masks else b""
    return b"BM" + struct.pack("<IHHI", 14 + size + len(body), 0, 0, 14 + size) + head + body


@pytest.mark.parametrize(
    ("masks", "pixels"),
    [(None, [0x7C00, 0x03E0, 0x001F, 0x7FFF]), ((0xF800, 0x07E0, 0x001F), [0xF800, 0x07E0, 0x001F, 0xFFFF])],
)
async def test_bmp_of_16_bits(pool, masks, pixels) -> None:
    image = await pool.decode(bmp_16(masks, pixels), max_pixels=PIXELS)
    assert image.pixels == bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])


async def test_formats_that_are_not_asked_for_reach_no_decoder(settings) -> None:
    only_gif = BreadthSettings(python=PYTHON, formats="gif")
    async with BreadthPool(only_gif, command=["/nonexistent"]) as pool:
        with pytest.raises(GatewayError) as caught:
            await pool.decode(encoded(gradient(), "TIFF"), max_pixels=PIXELS)
    assert (caught.value.reason, caught.value.measured, caught.value.allowed) == (Reason.IMAGE_FORMAT_UNSUPPORTED, "tiff", "gif")


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "PDF", "JPEG2000", "PCX", "ICNS", "EPS", "DDS"])
async def test_formats_outside_the_list_reach_no_decoder(settings, kind) -> None:
    async with BreadthPool(settings, command=["/nonexistent"]) as pool:
        with pytest.raises(GatewayError) as caught:
            await pool.decode(encoded(gradient(), kind), max_pixels=PIXELS)
    assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED


async def test_no_bytes(pool) -> None:
    with pytest.raises(GatewayError) as caught:
        await pool.decode(b"", max_pixels=PIXELS)
    assert caught.value.reason is Reason.IMAGE_EMPTY
