"""Metadata does not leave the house, and the picture stays as it is to the last bit."""

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from gateway.prepare import Alpha, OutputFormat

from .conftest import names
from .pictures import encoded, exif, lopsided, opened, photo, pixels, srgb_profile

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SECRET-XMP</x:xmpmeta>'
PROFILE = srgb_profile()


def full_exif(orientation: int) -> Image.Exif:
    """Camera, GPS and a description."""
    block = exif(orientation)
    block[0x010E] = "SECRET-DESCRIPTION"
    block[0x010F] = "SECRET-CAMERA"
    gps = block.get_ifd(0x8825)
    gps[1], gps[2] = "N", (59.0, 56.0, 3.5)
    gps[29] = "SECRET-GPS-DATE"
    return block


def planted(kind: str, orientation: int, picture: Image.Image | None = None) -> bytes:
    """A file with all the metadata that Pillow writes, and a colour profile."""
    options: dict[str, object] = {"exif": full_exif(orientation), "icc_profile": PROFILE}
    if kind == "JPEG":
        options |= {"xmp": XMP, "comment": b"SECRET-COMMENT"}
    elif kind == "WEBP":
        options |= {"xmp": XMP, "lossless": True}
    else:
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", "SECRET-TEXT")
        text.add_text("Author", "SECRET-ZTEXT" * 20, zip=True)
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"] = text
    data = encoded(picture or lopsided(), kind, **options)
    assert b"SECRET" in data
    return data + (b"SECRET-TRAILER" if kind == "JPEG" else b"")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_of_it_goes_and_the_picture_stays(prepare, kind, orientation) -> None:
    data = planted(kind, orientation)
    image = prepare(data)
    assert names(image) == ["strip_metadata"]
    assert b"SECRET" not in image.data
    before, after = opened(data), opened(image.data)
    assert (pixels(image.data) == pixels(data)).all()
    assert (after.format, after.mode, after.size) == (before.format, before.mode, before.size)
    assert after.info["icc_profile"] == PROFILE
    assert not after.getexif().get_ifd(0x8825)
    # Of EXIF the orientation alone is left.
    assert dict(after.getexif()) == ({} if orientation == 1 else {0x0112: orientation})
    assert image.sent.orientation == orientation
    assert not {"xmp", "comment", "Comment", "Author"} & set(after.info)


@pytest.mark.parametrize(
    ("kind", "told"),
    [("JPEG", ["exif", "xmp", "comment", "trailing"]), ("PNG", ["exif", "xmp", "comment"]), ("WEBP", ["exif", "xmp"])],
)
def test_it_is_told_what_went(prepare, kind, told) -> None:
    data = planted(kind, 1)
    image = prepare(data)
    detail = image.actions[0].detail
    count, _, kinds = detail.partition(" bytes: ")
    assert int(count) == len(data) - len(image.data)
    assert set(kinds.split(", ")) <= {"exif", "xmp", "iptc", "comment", "thumbnail", "time", "trailing", "other"}
    # Text chunks of PNG hold XMP as well.
    assert set(told) - {"xmp"} <= set(kinds.split(", "))
    assert kind == "PNG" or set(told) == set(kinds.split(", "))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_switched_off_the_same_object_is_passed_on(prepare, kind) -> None:
    data = planted(kind, 6)
    assert prepare(data, strip_metadata=False).data is data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_what_has_none_is_passed_on_as_the_same_object(prepare, kind) -> None:
    data = encoded(lopsided(), kind)
    assert prepare(data).data is data


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_second_run_finds_nothing(prepare, kind, orientation) -> None:
    once = prepare(planted(kind, orientation)).data
    assert prepare(once).data is once


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("rotate", [True, False])
@pytest.mark.parametrize("output", OutputFormat)
def test_what_is_written_anew_has_none_whatever_is_asked_for(prepare, kind, strip, rotate, output) -> None:
    picture = lopsided().convert("RGB" if kind == "JPEG" else "RGBA")
    alpha = Alpha.WHITE if output is OutputFormat.JPEG else Alpha.KEEP
    image = prepare(
        planted(kind, 6, picture), max_side=30, strip_metadata=strip, rotate=rotate, output_format=output, alpha=alpha
    )
    assert names(image)[0] == "fit"
    assert "strip_metadata" not in names(image)
    assert b"SECRET" not in image.data
    assert dict(opened(image.data).getexif()) == ({} if rotate else {0x0112: 6})
    # And is all that is needed.
    assert prepare(image.data, max_side=30, output_format=output).data is image.data


def test_what_is_stripped_is_checked_in_full_on_request(prepare) -> None:
    data = planted("JPEG", 1, photo((64, 48)))
    image = prepare(data, full_decode=True)
    assert names(image) == ["strip_metadata"]
    assert (np.asarray(opened(image.data)) == np.asarray(opened(data))).all()
