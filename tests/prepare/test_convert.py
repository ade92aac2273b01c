"""Colours: every mode and profile becomes sRGB of 8 bits, by the same rules as in Pillow and LittleCMS."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from gateway.errors import Reason
from gateway.prepare import Alpha, Convert, Operation, OutputFormat

from .conftest import names
from .pictures import (
    ADOBE_RGB,
    DISPLAY_P3,
    encoded,
    exif,
    grey_profile,
    largest_difference,
    lopsided,
    noise,
    opened,
    photo,
    pixels,
    png_16,
    psnr,
    resized,
    rgb_profile,
    srgb_profile,
    to_srgb,
    upright,
    without_adobe_segment,
)

PNG = {"output_format": OutputFormat.PNG}


def half_transparent(picture: Image.Image) -> Image.Image:
    """With every alpha there is."""
    mode = "LA" if picture.mode == "L" else "RGBA"
    picture = picture.convert(mode)
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    return picture


def on_white(picture: Image.Image) -> np.ndarray:
    """Composited in numbers that are rounded once."""
    samples = np.asarray(picture.convert("RGBA"), float)
    alpha = samples[..., 3:] / 255
    return (samples[..., :3] * alpha + 255 * (1 - alpha)).round()


def palette(transparent: int | None = None) -> bytes:
    options = {} if transparent is None else {"transparency": transparent}
    return encoded(photo((64, 48)).quantize(30), "PNG", **options)


SIXTEEN = np.linspace(0, 65535, 64 * 48).astype(np.uint16)

NEEDED = {
    "cmyk.jpg": (encoded(photo((64, 48)).convert("CMYK"), "JPEG"), "CMYK"),
    "grey-16.png": (png_16(SIXTEEN.reshape(48, 64, 1), 0), "more than 8 bits"),
    "rgb-16.png": (png_16(SIXTEEN.reshape(32, 32, 3), 2), "more than 8 bits"),
    "rgba-16.png": (png_16(SIXTEEN.reshape(16, 48, 4), 6), "more than 8 bits"),
    "grey-alpha.png": (encoded(half_transparent(photo((64, 48)).convert("L")), "PNG"), "grey with alpha"),
    "animated.webp": (
        encoded(photo((64, 48)), "WEBP", save_all=True, append_images=[lopsided((64, 48))], lossless=True),
        "animation",
    ),
}
OPTIONAL = {
    "palette.png": (palette(), "palette"),
    "palette-transparent.png": (palette(3), "palette"),
    "palette.bmp": (encoded(photo((64, 48)).quantize(30), "BMP"), "palette"),
    "1-bit.bmp": (encoded(photo((64, 48)).convert("1"), "BMP"), "palette"),
    "rgba.png": (encoded(half_transparent(photo((64, 48))), "PNG"), "alpha"),
    "alpha-lossy.webp": (encoded(half_transparent(photo((64, 48))), "WEBP"), "alpha"),
    "alpha-lossless.webp": (encoded(half_transparent(photo((64, 48))), "WEBP", lossless=True), "alpha"),
    "p3.jpg": (encoded(photo((64, 48)), "JPEG", icc_profile=rgb_profile(DISPLAY_P3, 2.2)), "colour profile"),
    "p3.png": (encoded(photo((64, 48)), "PNG", icc_profile=rgb_profile(DISPLAY_P3, 2.2)), "colour profile"),
    "p3.webp": (encoded(photo((64, 48)), "WEBP", icc_profile=rgb_profile(DISPLAY_P3, 2.2)), "colour profile"),
}
PLAIN = {
    "jpg": encoded(photo((64, 48)), "JPEG"),
    "progressive.jpg": encoded(photo((64, 48)), "JPEG", progressive=True),
    "grey.jpg": encoded(photo((64, 48)).convert("L"), "JPEG"),
    "png": encoded(photo((64, 48)), "PNG"),
    "grey.png": encoded(photo((64, 48)).convert("L"), "PNG"),
    "1-bit.png": encoded(photo((64, 48)).convert("1"), "PNG"),
    "bmp": encoded(photo((64, 48)), "BMP"),
    "lossy.webp": encoded(photo((64, 48)), "WEBP"),
    "lossless.webp": encoded(photo((64, 48)), "WEBP", lossless=True),
    "srgb.jpg": encoded(photo((64, 48)), "JPEG", icc_profile=srgb_profile()),
    "srgb.png": encoded(photo((64, 48)), "PNG", icc_profile=srgb_profile()),
    "srgb.webp": encoded(photo((64, 48)), "WEBP", icc_profile=srgb_profile()),
    "animated.png": encoded(photo((64, 48)), "PNG", save_all=True, append_images=[lopsided((64, 48))]),
}


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("convert", Convert)
def test_what_few_decoders_take_is_converted_or_refused(prepare, refusal, name, convert) -> None:
    data, what = NEEDED[name]
    if convert is Convert.NEVER:
        error = refusal(data, convert=convert)
        assert (error.reason, error.measured) == (Reason.IMAGE_FORMAT_UNSUPPORTED, what)
        assert what in error.message
        assert "switched off" in error.message
        return
    image = prepare(data, convert=convert)
    assert image.actions[0].detail == what
    assert set(names(image)) == {"convert"}
    assert opened(image.data).size == opened(data).size
    assert opened(image.data).mode in {"L", "RGB"}


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("convert", Convert)
def test_what_most_decoders_take_is_converted_on_request(prepare, name, convert) -> None:
    data, what = OPTIONAL[name]
    image = prepare(data, convert=convert)
    if convert is not Convert.ALWAYS:
        assert image.data is data
        return
    assert image.actions[0].detail == what
    assert set(names(image)) == {"convert"}
    assert opened(image.data).mode == "RGB"
    assert "icc_profile" not in opened(image.data).info


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("convert", Convert)
def test_what_everyone_takes_is_not_converted(prepare, name, convert) -> None:
    data = PLAIN[name]
    assert prepare(data, convert=convert).data is data


# Palettes, depths and transparency: exact, as no JPEG comes in between.


@pytest.mark.parametrize("name", ["palette.png", "palette.bmp", "1-bit.bmp"])
def test_palettes_are_looked_up(prepare, name) -> None:
    data, _ = OPTIONAL[name]
    image = prepare(data, convert=Convert.ALWAYS, **PNG)
    assert (pixels(image.data) == pixels(data)).all()


def test_one_bit_is_black_and_white(prepare) -> None:
    data = PLAIN["1-bit.png"]
    image = prepare(data, max_side=48, **PNG)
    assert opened(image.data).mode == "L"
    reference = resized(pixels(data), (48, 36))
    pillows = opened(data).convert("L").resize((48, 36), Image.Resampling.LANCZOS)
    # Where black is next to white, overshoot is cut off after each pass.
    assert psnr(pixels(image.data), reference) > psnr(pillows.convert("RGB"), reference) - 2


@pytest.mark.parametrize(("channels", "color", "mode"), [(1, 0, "L"), (3, 2, "RGB")])
def test_16_bits_are_rounded_to_8(prepare, channels, color, mode) -> None:
    """Every eighth of a level, so that each rounds up and down."""
    samples = np.arange(0, 65536, 32, np.uint16)
    samples = np.append(samples, np.full(-len(samples) % (32 * channels), 65535, np.uint16)).reshape(-1, 32, channels)
    image = prepare(png_16(samples, color), **PNG)
    assert opened(image.data).mode == mode
    expected = np.floor(samples / 257 + 0.5)
    assert largest_difference(pixels(image.data), np.broadcast_to(expected, (*samples.shape[:2], 3))) == 0


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_is_composited_on_white(prepare, mode, kind) -> None:
    picture = half_transparent(photo((64, 256)).convert(mode))
    data = encoded(picture, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {}))
    image = prepare(data, convert=Convert.ALWAYS, **PNG)
    assert opened(image.data).mode == "RGB"
    assert largest_difference(pixels(image.data), on_white(picture)) == 0


def test_a_transparent_colour_of_a_palette_is_white(prepare) -> None:
    data = palette(3)
    image = prepare(data, convert=Convert.ALWAYS, **PNG)
    expected = on_white(opened(data).convert("RGBA"))
    assert (expected == 255).all(axis=2).any()
    assert largest_difference(pixels(image.data), expected) == 0


def test_transparency_of_16_bits_is_composited_too(prepare) -> None:
    samples = np.random.default_rng(5).integers(0, 65536, (30, 30, 4)).astype(np.uint16)
    image = prepare(png_16(samples, 6), **PNG)
    alpha = samples[..., 3:] / 65535
    expected = samples[..., :3] / 257 * alpha + 255 * (1 - alpha)
    # Colour, alpha and product are rounded, one after the other.
    assert largest_difference(pixels(image.data), expected.round()) <= 2


@pytest.mark.parametrize("convert", [Convert.NEEDED, Convert.ALWAYS])
def test_transparency_that_is_kept_needs_no_conversion(prepare, convert) -> None:
    data = encoded(half_transparent(photo((64, 48))), "PNG")
    assert prepare(data, convert=convert, alpha=Alpha.KEEP).data is data


def test_grey_with_transparency_keeps_it(prepare) -> None:
    picture = half_transparent(photo((64, 48)).convert("L"))
    image = prepare(encoded(picture, "PNG"), alpha=Alpha.KEEP)
    assert (np.asarray(opened(image.data)) == np.asarray(picture.convert("RGBA"))).all()


def test_what_is_transparent_does_not_bleed_when_it_is_scaled(prepare) -> None:
    picture = Image.new("RGBA", (90, 60), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (30, 20, 60, 40))
    image = prepare(encoded(picture, "PNG"), max_side=45, alpha=Alpha.KEEP)
    scaled = np.asarray(opened(image.data)).astype(int)
    shown = scaled[..., 3] > 16
    assert scaled[shown][:, 0].max() <= 8
    assert scaled[shown][:, 2].min() >= 247
    expected = np.asarray(picture.convert("RGBa").resize((45, 30), Image.Resampling.LANCZOS).convert("RGBA")).astype(int)
    # Overshoot is cut off after each of two passes, which come in the other order in Pillow.
    assert np.abs(expected[..., 3] - scaled[..., 3]).max() <= 5


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_transparency_on_white_is_told_where_pixels_are_touched(prepare, kind) -> None:
    picture = half_transparent(photo((64, 48)))
    image = prepare(encoded(picture, kind), max_side=32)
    assert [str(action) for action in image.actions] == ["fit: 64x48 px to 32x24 px", "convert: alpha"]


# Ink.


def test_cmyk_is_light_left_by_ink(prepare) -> None:
    data = encoded(photo().convert("CMYK"), "JPEG", quality=95)
    image = prepare(data, **PNG)
    difference = np.abs(pixels(image.data).astype(int) - pixels(data))
    assert difference.mean() < 0.5
    assert difference.max() <= 4


@pytest.mark.parametrize(
    ("ink", "light"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 255, 0, 0), (255, 0, 255)),
        ((0, 0, 255, 0), (255, 255, 0)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 128, 255, 51), (204, 102, 0)),
    ],
)
def test_inks_have_their_colours_inverted_by_adobe_or_not(prepare, ink, light) -> None:
    data = encoded(Image.new("CMYK", (32, 32), ink), "JPEG", quality=100)
    assert largest_difference(pixels(prepare(data, **PNG).data), np.full((32, 32, 3), light)) <= 2
    # Without Adobe's segment what is stored is ink, not what ink leaves.
    inverted = Image.new("CMYK", (32, 32), tuple(255 - sample for sample in ink))
    plain = without_adobe_segment(encoded(inverted, "JPEG", quality=100))
    assert largest_difference(pixels(prepare(plain, **PNG).data), np.full((32, 32, 3), light)) <= 2


def test_ycck_is_read_as_such(prepare) -> None:
    data = bytearray(encoded(photo().convert("CMYK"), "JPEG", quality=95))
    data[data.index(b"Adobe") + 11] = 2
    image = prepare(bytes(data), **PNG)
    assert image.actions[0].detail == "CMYK"
    assert np.abs(pixels(image.data).astype(int) - pixels(bytes(data))).mean() < 1


@pytest.mark.parametrize("max_side", [None, 200, 90])
def test_cmyk_is_scaled_as_well(prepare, max_side) -> None:
    data = encoded(photo((800, 600)).convert("CMYK"), "JPEG", quality=95)
    image = prepare(data, max_side=max_side, **PNG)
    assert names(image) == (["fit", "convert"] if max_side else ["convert"])
    assert psnr(pixels(image.data), resized(pixels(data), opened(image.data).size)) > 35


# Animation.


def test_the_first_frame_of_an_animation_is_sent(prepare) -> None:
    first = photo((64, 48))
    data = encoded(first, "WEBP", save_all=True, append_images=[ImageOps.invert(first)], lossless=True)
    image = prepare(data, **PNG)
    assert (pixels(image.data) == np.asarray(first)).all()


def test_of_an_animated_png_it_is_the_image_that_everyone_shows(prepare) -> None:
    first = photo((64, 48))
    data = encoded(first, "PNG", save_all=True, append_images=[ImageOps.invert(first)])
    assert opened(data).is_animated
    assert prepare(data).data is data
    image = prepare(data, max_side=32, **PNG)
    assert psnr(pixels(image.data), resized(np.asarray(first), (32, 24))) > 45
    assert not getattr(opened(image.data), "is_animated", False)


# Profiles.


@pytest.fixture(scope="module", params=["Display P3", "Adobe RGB"])
def profile(request: pytest.FixtureRequest) -> bytes:
    return rgb_profile(DISPLAY_P3, 2.2) if request.param == "Display P3" else rgb_profile(ADOBE_RGB, 2.2)


COLOURS = Image.fromarray(
    np.stack(np.meshgrid(range(0, 256, 17), range(0, 256, 17), range(0, 256, 17), indexing="ij"), axis=-1)
    .reshape(64, 64, 3)
    .astype(np.uint8)
)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_profiles_are_applied_as_by_littlecms(prepare, profile, kind) -> None:
    data = encoded(COLOURS, kind, icc_profile=profile, **({"lossless": True} if kind == "WEBP" else {}))
    image = prepare(data, convert=Convert.ALWAYS, **PNG)
    expected = to_srgb(COLOURS, profile)
    assert largest_difference(pixels(image.data), expected) <= 3
    # It was needed.
    assert largest_difference(COLOURS, expected) > 30


@pytest.mark.parametrize("options", [{"subsampling": 0}, {"subsampling": 2}, {"progressive": True}, {"keep_rgb": True}])
def test_profiles_of_jpeg_are_applied(prepare, profile, options) -> None:
    picture = photo()
    data = encoded(picture, "JPEG", quality=95, icc_profile=profile, **options)
    image = prepare(data, convert=Convert.ALWAYS, **PNG)
    expected = np.asarray(to_srgb(opened(data), profile)).astype(int)
    difference = np.abs(pixels(image.data) - expected)
    assert difference.mean() < 1
    assert np.quantile(difference, 0.99) <= 3


def test_profiles_of_transparent_pictures_are_applied_before_the_white(prepare, profile) -> None:
    picture = COLOURS.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    image = prepare(encoded(picture, "PNG", icc_profile=profile), convert=Convert.ALWAYS, **PNG)
    converted = to_srgb(COLOURS, profile)
    converted.putalpha(picture.getchannel("A"))
    assert largest_difference(pixels(image.data), on_white(converted)) <= 3
    assert [action.detail for action in image.actions] == ["alpha", "colour profile"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_profile_is_applied_whenever_pixels_are_touched(prepare, profile, kind) -> None:
    """The result has none, so its colours must be those of sRGB."""
    picture = lopsided((400, 300))
    data = encoded(picture, kind, icc_profile=profile, **({"lossless": True} if kind == "WEBP" else {"quality": 95}))
    for convert in (Convert.NEEDED, Convert.ALWAYS):
        image = prepare(data, max_side=200, convert=convert)
        assert [str(action) for action in image.actions] == ["fit: 400x300 px to 200x150 px", "convert: colour profile"]
        expected = resized(np.asarray(to_srgb(opened(data), profile)), (200, 150))
        unconverted = resized(pixels(data), (200, 150))
        assert psnr(pixels(image.data), expected) > 30 > psnr(unconverted, expected)
        assert "icc_profile" not in opened(image.data).info


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_srgb_profile_changes_nothing_and_is_not_told(prepare, kind) -> None:
    data = encoded(photo(), kind, icc_profile=srgb_profile())
    image = prepare(data, max_side=200, convert=Convert.ALWAYS)
    assert names(image) == ["fit"]
    assert psnr(pixels(image.data), resized(pixels(data), (200, 150))) > 30


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_is_no_profile_is_passed_over(prepare, kind) -> None:
    data = encoded(photo(), kind, icc_profile=b"not a profile" * 20)
    assert prepare(data, convert=Convert.ALWAYS).data is data
    assert names(prepare(data, max_side=200, convert=Convert.ALWAYS)) == ["fit"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_what_is_told_of_a_profile_of_grey_was_done(prepare, kind) -> None:
    """Grey in linear light is much brighter in sRGB: either it is converted, or nobody says so."""
    picture = Image.linear_gradient("L")
    data = encoded(picture, kind, icc_profile=grey_profile(1.0), **({"quality": 100} if kind == "JPEG" else {}))
    image = prepare(data, convert=Convert.ALWAYS, **PNG)
    changed = largest_difference(pixels(image.data), pixels(data)) > 30
    assert changed == ("convert: colour profile" in map(str, image.actions))


def test_grey_stays_grey_unless_it_has_a_profile_of_its_own(prepare) -> None:
    grey = photo().convert("L")
    assert opened(prepare(encoded(grey, "JPEG"), max_side=200).data).mode == "L"
    image = prepare(encoded(grey, "JPEG", icc_profile=grey_profile(1.0)), max_side=200)
    assert opened(image.data).mode == "RGB"
    assert "convert: colour profile" in map(str, image.actions)


# Everything at once.


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_conversion_and_turning_go_together(prepare, orientation) -> None:
    data = encoded(lopsided((90, 60)).convert("CMYK"), "JPEG", quality=95, exif=exif(orientation))
    image = prepare(data, Operation.SUPER_RESOLUTION, **PNG)
    assert np.abs(pixels(image.data).astype(int) - np.asarray(upright(data))).mean() < 1


def test_noise_in_every_channel_survives_without_loss(prepare) -> None:
    data = encoded(noise((61, 37)).quantize(256), "PNG")
    image = prepare(data, convert=Convert.ALWAYS, **PNG)
    assert (pixels(image.data) == pixels(data)).all()
