"""Damage is found before anyone pays for a call; damage that headers do not show is found on request."""

import random
import zlib

import pytest
from PIL import Image

from gateway.errors import GatewayError, Reason
from gateway.prepare import Convert, Operation, OutputFormat, PrepareOptions

from .pictures import cut_scan, encoded, exif, lopsided, noise, photo, png, png_chunk

WHOLE = {
    "jpeg": encoded(photo((96, 72)), "JPEG"),
    "progressive.jpeg": encoded(photo((96, 72)), "JPEG", progressive=True),
    "exif.jpeg": encoded(photo((96, 72)), "JPEG", exif=exif(6)),
    "png": encoded(photo((96, 72)), "PNG"),
    "bmp": encoded(photo((24, 18)), "BMP"),
    "lossy.webp": encoded(photo((96, 72)), "WEBP"),
    "lossless.webp": encoded(photo((48, 36)), "WEBP", lossless=True),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("strip", [True, False])
def test_every_cut_is_found_by_default(refusal, prepare, name, strip) -> None:
    data = WHOLE[name]
    assert prepare(data)
    # The last byte of a WEBP file may be padding.
    for length in range(1, len(data) - 1, max(1, len(data) // 60)):
        assert refusal(data[:length], strip_metadata=strip).reason in {Reason.IMAGE_DAMAGED, Reason.IMAGE_FORMAT_UNSUPPORTED}


def test_a_cut_file_says_how_much_is_there(refusal) -> None:
    data = WHOLE["png"]
    error = refusal(data[:-20])
    assert error.reason is Reason.IMAGE_DAMAGED
    assert error.message.startswith("PNG file is cut short: ")
    assert error.measured == f"{len(data) - 20} bytes"


def flipped(data: bytes, *offsets: int) -> bytes:
    changed = bytearray(data)
    for offset in offsets:
        changed[offset] ^= 0xFF
    return bytes(changed)


def inner_damage() -> dict[str, bytes]:
    """Files whole by their structure, and damaged inside."""
    png_data = WHOLE["png"]
    lossless = WHOLE["lossless.webp"]
    short_rows = png((48, 48), b"".join(b"\0" + bytes(144) for _ in range(20)))
    return {
        "cut.jpeg": cut_scan(WHOLE["jpeg"]),
        "cut-late.jpeg": cut_scan(WHOLE["jpeg"], 0.97),
        "cut-progressive.jpeg": cut_scan(WHOLE["progressive.jpeg"], 0.1),
        "cut-grey.jpeg": cut_scan(encoded(photo((96, 72)).convert("L"), "JPEG")),
        "cut-cmyk.jpeg": cut_scan(encoded(photo((96, 72)).convert("CMYK"), "JPEG")),
        "deflate.png": flipped(png_data, png_data.index(b"IDAT") + 400),
        "checksum.png": flipped(png_data, len(png_data) - 13),
        "short.png": short_rows,
        "huffman.webp": flipped(lossless, *range(40, 80)),
    }


INNER = inner_damage()


@pytest.mark.parametrize("name", [name for name in INNER if "cmyk" not in name])
def test_damage_inside_is_passed_on_by_default_and_found_on_request(prepare, refusal, name) -> None:
    data = INNER[name]
    assert prepare(data).data is data
    error = refusal(data, full_decode=True)
    assert error.reason is Reason.IMAGE_DAMAGED
    assert name.rpartition(".")[2].upper() in error.message


@pytest.mark.parametrize("name", INNER)
@pytest.mark.parametrize("output", [OutputFormat.JPEG, OutputFormat.PNG])
def test_damage_inside_is_found_whenever_pixels_are_touched(refusal, name, output) -> None:
    """Half a picture is not to be sent as if it were whole."""
    for max_side in (20, 47):
        assert refusal(INNER[name], max_side=max_side, output_format=output).reason is Reason.IMAGE_DAMAGED


@pytest.mark.parametrize("max_side", [200, 90])
@pytest.mark.parametrize("progressive", [True, False])
def test_damage_is_found_at_a_reduced_size_as_well(refusal, max_side, progressive) -> None:
    data = encoded(photo((800, 600)), "JPEG", progressive=progressive)
    for share in (0.08, 0.5, 0.9) if not progressive else (0.05,):
        assert refusal(cut_scan(data, share), max_side=max_side).reason is Reason.IMAGE_DAMAGED


def test_damage_is_found_when_a_picture_is_converted_or_shrunk(refusal) -> None:
    for options in ({"convert": Convert.NEEDED}, {"max_bytes": 1024}):
        assert refusal(INNER["cut-cmyk.jpeg"], **options).reason is Reason.IMAGE_DAMAGED
    assert refusal(INNER["cut.jpeg"], max_bytes=1024).reason is Reason.IMAGE_DAMAGED
    assert refusal(INNER["huffman.webp"], Operation.SUPER_RESOLUTION).reason is Reason.IMAGE_DAMAGED


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("convert", Convert)
def test_what_is_whole_passes_the_full_check_untouched(prepare, name, convert) -> None:
    data = WHOLE[name]
    strips = {"strip_metadata": "exif" not in name}
    assert prepare(data, full_decode=True, convert=convert, **strips).data is data


def test_headers_that_contradict_each_other_are_found(refusal) -> None:
    """The canvas of a WEBP file, and what is painted on it."""
    alpha = lopsided().convert("RGBA")
    alpha.putpixel((3, 3), (0, 0, 0, 0))
    data = bytearray(encoded(alpha, "WEBP"))
    assert data[12:16] == b"VP8X"
    data[24] += 1
    error = refusal(bytes(data))
    assert error.reason is Reason.IMAGE_DAMAGED
    assert "48x32" in error.message
    assert "49x32" in error.message


def test_a_profile_that_unpacks_to_a_bomb_is_not_read(prepare) -> None:
    """Its bound is 64 MiB; the picture itself is decoded."""
    bomb = b"x\0\0" + zlib.compress(bytes(70 << 20), 1)
    rows = b"".join(b"\0" + bytes(60) for _ in range(20))
    data = png((20, 20), rows, before=png_chunk(b"iCCP", bomb))
    assert prepare(data, convert=Convert.ALWAYS, full_decode=True, strip_metadata=False).data is data


def test_random_damage_never_gets_through_as_something_else(preparer) -> None:
    """Every outcome is a picture or a refusal, whatever is flipped."""
    chance = random.Random(11)  # noqa: S311 - not for secrets
    options = [PrepareOptions(max_side=20), PrepareOptions(full_decode=True), PrepareOptions(convert=Convert.ALWAYS)]
    files = [*WHOLE.values(), encoded(noise((48, 40)).convert("CMYK"), "JPEG"), encoded(Image.new("LA", (20, 20)), "PNG")]
    reasons = []
    for _ in range(600):
        data = bytearray(chance.choice(files))
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            preparer.prepare_now(bytes(data), options=chance.choice(options))
        except GatewayError as error:
            reasons.append(error.reason)
    assert 100 < len(reasons) < 600
    assert set(reasons) <= {
        Reason.IMAGE_DAMAGED,
        Reason.IMAGE_FORMAT_UNSUPPORTED,
        Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE,
        Reason.IMAGE_TOO_LARGE,
    }
