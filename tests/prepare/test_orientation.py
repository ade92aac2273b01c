"""Pictures are turned upright, or say how they lie; boxes are mapped back to where they are in the picture sent."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from gateway.media import Box, PreparedImage
from gateway.prepare import Alpha, Convert, Operation, OutputFormat, PrepareOptions, Preparer, map_back
from gateway.prepare.settings import PrepareSettings

from .conftest import names
from .pictures import encoded, exif, lopsided, opened, pixels, upright

ORIENTATIONS = range(1, 9)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_what_is_passed_on_is_not_turned(prepare, kind, orientation) -> None:
    data = encoded(lopsided(), kind, exif=exif(orientation))
    image = prepare(data, strip_metadata=False)
    assert image.data is data
    assert (image.facts.width, image.facts.height, image.facts.orientation) == (48, 32, orientation)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("max_side", [None, 61])
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("size", [(96, 64), (95, 63)])
def test_what_is_written_anew_is_turned_upright(prepare, kind, max_side, orientation, size) -> None:
    picture = lopsided(size).convert("RGBA" if kind == "PNG" else "RGB")
    data = encoded(picture, kind, exif=exif(orientation), **({"lossless": True} if kind == "WEBP" else {"quality": 95}))
    # Without a scale, WEBP is converted for an operation that does not take it, PNG for its alpha; JPEG is too long.
    options = {"max_bytes": len(data) - 3} if kind == "JPEG" else {"convert": Convert.ALWAYS}
    if max_side:
        options = {"max_side": max_side}
    image = prepare(data, Operation.SUPER_RESOLUTION, **options)
    expected = upright(data).resize(opened(image.data).size, Image.Resampling.LANCZOS)
    if max_side is None:
        assert opened(image.data).size == upright(data).size
    assert np.abs(pixels(image.data).astype(int) - np.asarray(expected)).mean() < 4
    assert 0x0112 not in opened(image.data).getexif()
    assert image.sent.orientation == 1
    assert ("rotate" in names(image)) == (orientation != 1)
    if orientation != 1:
        details = {action.name: action.detail for action in image.actions}
        assert details["rotate"] == f"from EXIF orientation {orientation}"


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("mode", ["P", "RGBA", "LA"])
def test_turning_moves_pixels_and_changes_none(prepare, orientation, mode) -> None:
    picture = lopsided((50, 35)).convert("L").convert("LA") if mode == "LA" else lopsided((50, 35)).convert(mode)
    data = encoded(picture, "PNG", exif=exif(orientation))
    image = prepare(data, convert=Convert.ALWAYS, output_format=OutputFormat.PNG)
    assert (pixels(image.data) == np.asarray(upright(data))).all()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GREY"])
@pytest.mark.parametrize("output", [OutputFormat.JPEG, OutputFormat.PNG])
def test_without_rotate_it_stays_as_it_lies_and_says_so(prepare, orientation, kind, output) -> None:
    picture = lopsided((96, 64)).convert("L") if kind == "GREY" else lopsided((96, 64))
    data = encoded(picture, "JPEG" if kind == "GREY" else kind, exif=exif(orientation))
    image = prepare(data, max_side=48, rotate=False, output_format=output)
    result = opened(image.data)
    assert result.size == (48, 32)
    assert result.getexif().get(0x0112, 1) == image.sent.orientation == orientation
    assert names(image) == ["fit"]
    # It is shown as the picture sent is.
    expected = upright(data).resize(upright(image.data).size, Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(upright(image.data)).astype(int) - np.asarray(expected)).mean() < 4


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_without_rotate_what_is_shrunk_or_keeps_its_alpha_says_so_too(prepare, orientation) -> None:
    picture = lopsided((96, 64)).convert("RGBA")
    picture.putpixel((0, 0), (0, 0, 0, 0))
    data = encoded(picture, "PNG", exif=exif(orientation))
    for options in ({"max_bytes": 1200}, {"max_side": 48, "alpha": Alpha.KEEP}):
        image = prepare(data, rotate=False, **options)
        assert opened(image.data).getexif().get(0x0112, 1) == orientation


# Boxes.

MARKER_LEVEL = 128


def marked(size: tuple[int, int], marker: tuple[int, int, int, int]) -> Image.Image:
    """A dark picture with a light rectangle: left, top, width, height."""
    image = Image.new("RGB", size, (20, 20, 20))
    left, top, width, height = marker
    image.paste((240, 240, 240), (left, top, left + width, top + height))
    return image


def found(data: bytes) -> Box:
    """Where the light rectangle is, in pixels as stored."""
    light = np.asarray(opened(data).convert("L")) > MARKER_LEVEL
    rows, columns = np.flatnonzero(light.any(axis=1)), np.flatnonzero(light.any(axis=0))
    return Box(
        left=float(columns[0]),
        top=float(rows[0]),
        width=float(columns[-1] - columns[0] + 1),
        height=float(rows[-1] - rows[0] + 1),
    )


def edges(box: Box) -> np.ndarray:
    return np.array([box.left, box.top, box.left + box.width, box.top + box.height])


def assert_maps_back(image: PreparedImage, marker: tuple[int, int, int, int]) -> None:
    """The rectangle found in the picture prepared is where it is in the one sent, to within a pixel of the coarser one."""
    scale = max(image.facts.width, image.facts.height) / max(opened(image.data).size)
    left, top, width, height = marker
    mapped = map_back(found(image.data), image)
    assert np.abs(edges(mapped) - (left, top, left + width, top + height)).max() <= scale + 1


markers = st.tuples(st.integers(0, 100), st.integers(0, 60), st.integers(24, 60), st.integers(24, 60))


@pytest.fixture(scope="module")
def shared() -> Iterator[Preparer]:
    """One for all the examples of a property."""
    with Preparer(PrepareSettings(workers=1)) as preparer:
        yield preparer


@given(
    marker=markers,
    size=st.sampled_from([(160, 120), (161, 121), (159, 122)]),
    orientation=st.sampled_from(ORIENTATIONS),
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    max_side=st.integers(40, 170),
    rotate=st.booleans(),
)
@settings(derandomize=True, deadline=None, max_examples=250)
def test_a_box_found_in_what_is_sent_on_is_mapped_to_the_same_pixels(
    shared, marker, size, orientation, kind, max_side, rotate
) -> None:
    data = encoded(marked(size, marker), kind, exif=exif(orientation), **({"method": 0} if kind == "WEBP" else {}))
    image = shared.prepare_now(data, options=PrepareOptions(max_side=max_side, rotate=rotate))
    assert_maps_back(image, marker)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_box_is_mapped_from_a_picture_that_was_shrunk(prepare, orientation) -> None:
    marker = (100, 20, 60, 90)
    data = encoded(marked((320, 200), marker), "PNG", exif=exif(orientation))
    # Noise beside the marker, so that size has to be given up.
    picture = np.asarray(opened(data)).copy()
    picture[130:] = np.random.default_rng(3).integers(0, 60, picture[130:].shape)
    data = encoded(Image.fromarray(picture), "PNG", exif=exif(orientation))
    image = prepare(data, max_bytes=2500)
    assert names(image)[-1] == "shrink"
    assert max(opened(image.data).size) < 320
    assert_maps_back(image, marker)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_a_box_in_a_stripped_or_untouched_picture_stays_where_it_is(prepare, orientation) -> None:
    block = exif(orientation)
    block[0x010E] = "a description"
    marker = (10, 20, 60, 50)
    data = encoded(marked((160, 120), marker), "PNG", exif=block)
    for strip in (True, False):
        image = prepare(data, strip_metadata=strip)
        assert (image.sent is not None) == strip
        assert map_back(found(image.data), image) == found(data) == Box(*map(float, marker))


def test_the_corners_of_the_picture_are_mapped_to_its_corners(prepare) -> None:
    for orientation in ORIENTATIONS:
        image = prepare(encoded(lopsided((90, 60)), "PNG", exif=exif(orientation)), max_side=45)
        sent = image.sent
        whole = map_back(Box(left=0, top=0, width=sent.width, height=sent.height), image)
        assert whole == Box(left=0, top=0, width=90, height=60)
        # One pixel in the top left corner of what is sent on is two in the corner that EXIF names of what was sent.
        corner = map_back(Box(left=0, top=0, width=1, height=1), image)
        stored = Image.new("L", (90, 60))
        stored.paste(255, (int(corner.left), int(corner.top), int(corner.left) + 2, int(corner.top) + 2))
        shown = ImageOps.exif_transpose(opened(encoded(stored, "PNG", exif=exif(orientation))))
        assert shown.getbbox() == (0, 0, 2, 2)
