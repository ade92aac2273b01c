"""Prepared pixels that are never written to a file: what the engines of this process look at."""

import asyncio
import threading

import numpy as np
import pytest

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.media import Box, ImageFacts
from gateway.prepare import Alpha, Convert, Operation, PrepareOptions, Preparer, map_back
from gateway.prepare import preparer as module
from gateway.prepare.settings import PrepareSettings

from .conftest import names
from .pictures import encoded, exif, largest_difference, lopsided, noise, opened, photo, pixels, resized

KINDS = ("JPEG", "PNG", "BMP", "WEBP")


@pytest.mark.parametrize("kind", KINDS)
async def test_it_is_an_array_that_nothing_was_copied_into(preparer, kind) -> None:
    array, image = await preparer.array(encoded(photo(), kind), options=PrepareOptions(max_side=200))
    assert (array.shape, array.dtype) == ((150, 200, 3), np.uint8)
    assert array.flags.c_contiguous
    assert not array.flags.owndata  # the native core's buffer is what the array shows
    assert image.data == b""
    assert (image.sent.width, image.sent.height, image.sent.orientation, image.sent.size_bytes) == (200, 150, 1, 0)
    assert names(image) == ["fit"]


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
async def test_it_is_what_was_given_where_nothing_has_to_be_done(preparer, kind) -> None:
    data = encoded(photo(), kind)
    array, image = await preparer.array(data)
    assert (array == np.asarray(photo())).all()
    assert image.facts == ImageFacts(kind.lower(), 400, 300, 1, len(data))
    assert (image.sent.width, image.sent.height, image.sent.orientation, image.sent.size_bytes) == (400, 300, 1, 0)
    assert image.actions == ()
    box = Box(left=1, top=2, width=30, height=40)
    assert map_back(box, image) == box


async def test_it_is_scaled_like_what_is_written(preparer) -> None:
    data = encoded(photo(), "PNG")
    array, _ = await preparer.array(data, options=PrepareOptions(max_side=180))
    assert largest_difference(array, resized(np.asarray(photo()), (180, 135))) <= 6
    written = preparer.prepare_now(data, options=PrepareOptions(max_side=180, alpha=Alpha.KEEP))
    assert largest_difference(array, pixels(written.data)) <= 90  # JPEG


async def test_it_is_converted_and_on_white(preparer) -> None:
    picture = photo((60, 40)).convert("RGBA")
    picture.paste((9, 9, 9, 0), (0, 0, 30, 40))
    for options in (PrepareOptions(), PrepareOptions(alpha=Alpha.KEEP)):
        array, _ = await preparer.array(encoded(picture, "PNG"), options=options)
        assert (array[:, :30] == 255).all()
        assert (array[:, 30:] == np.asarray(photo((60, 40)))[:, 30:]).all()
    array, image = await preparer.array(encoded(photo((60, 40)).convert("L").convert("CMYK"), "JPEG", quality=100))
    assert array.shape == (40, 60, 3)
    assert [str(action) for action in image.actions] == ["convert: CMYK"]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("rotate", [True, False])
@pytest.mark.parametrize("max_side", [None, 60])
async def test_boxes_are_mapped_to_what_the_file_stores(preparer, orientation, rotate, max_side) -> None:
    stored = lopsided((120, 80))
    stored.paste((255, 255, 255), (16, 8, 56, 48))
    data = encoded(stored, "PNG", exif=exif(orientation))
    array, image = await preparer.array(data, options=PrepareOptions(max_side=max_side, rotate=rotate))
    assert (image.facts.width, image.facts.height, image.facts.orientation) == (120, 80, orientation)
    assert array.shape == (image.sent.height, image.sent.width, 3)
    upright = rotate or orientation == 1
    assert image.sent.orientation == (1 if upright else orientation)
    assert (array.shape[0] > array.shape[1]) == (upright and orientation in {6, 8})
    white = (array > 235).all(axis=2)
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    found = Box(left=columns[0], top=rows[0], width=columns[-1] - columns[0] + 1, height=rows[-1] - rows[0] + 1)
    mapped = map_back(found, image)
    assert np.abs(np.array([mapped.left, mapped.top, mapped.width, mapped.height]) - (16, 8, 40, 40)).max() <= 4


async def test_length_is_nobodys_concern_where_nothing_is_sent(preparer) -> None:
    data = encoded(noise((300, 200)), "PNG")
    array, image = await preparer.array(data, options=PrepareOptions(max_bytes=1024))
    assert (array == pixels(data)).all()
    assert "shrink" not in names(image)


async def test_refusals_are_the_gateways(preparer, bad_pictures) -> None:
    for data, reason in bad_pictures.values():
        with pytest.raises(GatewayError) as caught:
            await preparer.array(data)
        assert (caught.value.reason, caught.value.field) == (reason, "content")
    with pytest.raises(GatewayError) as caught:
        await preparer.array(encoded(photo((60, 40)), "WEBP"), Operation.SUPER_RESOLUTION, PrepareOptions(convert=Convert.NEVER))
    assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    with pytest.raises(GatewayError) as caught:
        await preparer.array(encoded(photo((60, 40)), "GIF"), options=PrepareOptions(allow_other_formats=True))
    assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED


async def test_it_is_made_on_a_thread(preparer, monkeypatch) -> None:
    threads = []
    real = _native.prepare_array

    def prepare_array(data: bytes, policy: _native.Policy) -> object:
        threads.append(threading.get_ident())
        return real(data, policy)

    monkeypatch.setattr(module._native, "prepare_array", prepare_array)
    await preparer.array(encoded(photo((60, 40)), "PNG"))
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_it_takes_its_share_of_the_memory(preparer) -> None:
    data = encoded(noise((1500, 1200)), "PNG", compress_level=0)
    seen = set()
    for _ in range(200):  # one may be over before anyone looks
        task = asyncio.create_task(preparer.array(data, options=PrepareOptions(max_side=1100)))
        while not task.done():
            await asyncio.sleep(0)
            seen.add(_native.memory()[1])
        assert (await task)[0].shape == (880, 1100, 3)
        if seen - {0}:
            break
    assert max(seen) >= 1500 * 1200 * 3


async def test_the_pixels_outlive_the_preparer() -> None:
    data = encoded(photo(), "PNG")
    with Preparer(PrepareSettings(workers=1)) as preparer:
        array, _ = await preparer.array(data)
        array[0, 0] = 7  # the caller's own
    with pytest.raises(GatewayError) as caught:
        await preparer.array(data)
    assert caught.value.reason is Reason.SHUTTING_DOWN
    assert (array[1:] == np.asarray(opened(data))[1:]).all()
