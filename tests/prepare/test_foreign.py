"""Formats that the native core does not decode: pixels come from a breadth pool, if the caller allows it."""

import asyncio
import threading
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from gateway import _native
from gateway.breadth.reply import ForeignImage
from gateway.errors import GatewayError, Reason
from gateway.media import Box, ImageFacts
from gateway.prepare import Alpha, Convert, Operation, OutputFormat, PrepareOptions, Preparer, map_back
from gateway.prepare import preparer as module
from gateway.prepare.settings import PrepareSettings

from .conftest import names
from .pictures import encoded, exif, lopsided, noise, opened, photo, pixels, psnr, resized

GIF = encoded(photo((60, 40)), "GIF")
ALLOWED = PrepareOptions(allow_other_formats=True)


def allowed(**options: object) -> PrepareOptions:
    return PrepareOptions(allow_other_formats=True, **options)


class FakePool:
    """Gives one picture, whatever it is asked to decode."""

    def __init__(self, picture: Image.Image | Exception, **facts: object) -> None:
        self.picture = picture
        self.facts = facts
        self.asked: list[tuple[bytes, int]] = []

    async def decode(self, data: bytes, *, max_pixels: int) -> ForeignImage:
        self.asked.append((data, max_pixels))
        await asyncio.sleep(0)
        if isinstance(self.picture, Exception):
            raise self.picture
        return ForeignImage(
            width=self.picture.width,
            height=self.picture.height,
            pixels=self.picture.tobytes(),
            **{"format": "gif", **self.facts},
        )


def preparer(pool: FakePool | None, **settings: object) -> Preparer:
    return Preparer(PrepareSettings(workers=1, **settings), pool)


async def test_pixels_are_written_as_a_format_that_is_taken() -> None:
    pool = FakePool(photo((60, 40)), notes=("first of 3 frames",))
    with preparer(pool, max_pixels=2_000_000) as it:
        image = await it.prepare(GIF, options=ALLOWED)
    assert pool.asked == [(GIF, 2_000_000)]
    assert image.facts == ImageFacts(format="gif", width=60, height=40, orientation=1, size_bytes=len(GIF))
    assert image.sent == ImageFacts(format="jpeg", width=60, height=40, orientation=1, size_bytes=len(image.data))
    assert [str(action) for action in image.actions] == ["convert: GIF, first of 3 frames"]
    assert psnr(pixels(image.data), photo((60, 40))) > 30


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("output", [OutputFormat.JPEG, OutputFormat.PNG])
async def test_every_operation_takes_the_result(operation, output) -> None:
    with preparer(FakePool(photo((60, 40)), format="tiff")) as it:
        image = await it.prepare(b"II*\0", operation, allowed(output_format=output))
        assert (await it.prepare(image.data, operation)).data is image.data
    assert image.sent.format == output.value
    assert image.actions[0].detail == "TIFF"
    if output is OutputFormat.PNG:
        assert (pixels(image.data) == np.asarray(photo((60, 40)))).all()


async def test_switched_off_it_is_refused_without_asking() -> None:
    pool = FakePool(photo((60, 40)))
    with preparer(pool) as it:
        with pytest.raises(GatewayError) as caught:
            await it.prepare(GIF)
        assert (caught.value.reason, caught.value.measured) == (Reason.IMAGE_FORMAT_UNSUPPORTED, "GIF")
        with pytest.raises(GatewayError):
            it.prepare_now(GIF, options=ALLOWED)
        assert [error.reason for error in it.prepare_many([GIF], options=ALLOWED)] == [Reason.IMAGE_FORMAT_UNSUPPORTED]
    assert pool.asked == []


async def test_without_a_pool_it_is_refused_as_well() -> None:
    with preparer(None) as it, pytest.raises(GatewayError) as caught:
        await it.prepare(GIF, options=ALLOWED)
    assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    assert caught.value.field == "content"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
async def test_what_the_native_core_decodes_is_not_asked_of_it(kind) -> None:
    pool = FakePool(photo((60, 40)))
    data = encoded(photo((60, 40)), kind)
    with preparer(pool) as it:
        assert (await it.prepare(data, options=ALLOWED)).data is data
        assert (await it.prepare(data, options=allowed(max_side=30))).sent.width == 30
        for bad in (b"", b"hello, world", data[: len(data) // 2], encoded(Image.new("L", (9, 9)), kind)):
            with pytest.raises(GatewayError):
                await it.prepare(bad, options=ALLOWED)
    assert pool.asked == []


async def test_a_variant_that_the_native_core_cannot_decode_is_asked_of_it() -> None:
    """A frame of JPEG with 12 bits a sample: the header can be read, the pixels cannot."""
    data = bytearray(encoded(photo((60, 40)), "JPEG"))
    data[data.index(b"\xff\xc0") + 4] = 12
    data[data.index(b"\xff\xc0") + 1] = 0xC1
    pool = FakePool(photo((60, 40)), format="jpeg")
    with preparer(pool) as it:
        with pytest.raises(GatewayError) as caught:
            await it.prepare(bytes(data))
        assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
        assert pool.asked == []
        assert (await it.prepare(bytes(data), options=ALLOWED)).sent.width == 60
    assert len(pool.asked) == 1


async def test_what_the_pool_refuses_is_refused() -> None:
    refusal = GatewayError(Reason.IMAGE_REJECTED, "it takes too long", field="content")
    with preparer(FakePool(refusal)) as it, pytest.raises(GatewayError) as caught:
        await it.prepare(GIF, options=ALLOWED)
    assert caught.value is refusal


@pytest.mark.parametrize(
    ("size", "kind"), [((14, 40), "dimensions_out_of_range"), ((3000, 20), "cannot_fit"), ((9, 9), "dimensions_out_of_range")]
)
async def test_what_is_decoded_has_the_same_limits(size, kind) -> None:
    with preparer(FakePool(Image.new("RGB", size))) as it, pytest.raises(GatewayError) as caught:
        await it.prepare(GIF, options=allowed(max_side=1000))
    assert caught.value.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE
    assert caught.value.__cause__.kind == kind
    assert caught.value.measured == f"{size[0]}x{size[1]} px"


async def test_without_fit_too_large_a_one_is_refused() -> None:
    with preparer(FakePool(Image.new("RGB", (4097, 20)))) as it, pytest.raises(GatewayError) as caught:
        await it.prepare(GIF, options=allowed(fit=False))
    assert caught.value.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE


async def test_it_is_scaled_and_shrunk_like_any_other() -> None:
    with preparer(FakePool(noise((300, 200)))) as it:
        image = await it.prepare(GIF, options=allowed(max_side=150, max_bytes=3000))
        assert names(image) == ["convert", "fit", "shrink"]
        assert len(image.data) <= 3000
        with pytest.raises(GatewayError) as caught:
            await it.prepare(GIF, options=allowed(max_bytes=3000, shrink=False))
    assert caught.value.reason is Reason.IMAGE_TOO_LARGE
    with preparer(FakePool(photo())) as it:
        image = await it.prepare(GIF, options=allowed(max_side=200))
    assert psnr(pixels(image.data), resized(np.asarray(photo()), (200, 150))) > 30


async def test_its_transparency_is_put_on_white_or_kept() -> None:
    picture = photo((60, 40)).convert("RGBA")
    picture.paste((9, 9, 9, 0), (0, 0, 30, 40))
    with preparer(FakePool(picture)) as it:
        white = await it.prepare(GIF, options=allowed(output_format=OutputFormat.PNG))
        kept = await it.prepare(GIF, options=allowed(alpha=Alpha.KEEP))
    assert [action.detail for action in white.actions] == ["GIF", "alpha"]
    assert (pixels(white.data)[:, :30] == 255).all()
    assert (pixels(white.data)[:, 30:] == np.asarray(photo((60, 40)))[:, 30:]).all()
    assert [action.detail for action in kept.actions] == ["GIF"]
    assert (np.asarray(opened(kept.data)) == np.asarray(picture)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rotate", [True, False])
async def test_boxes_are_mapped_to_what_the_file_stores(orientation, rotate) -> None:
    """The pool turns pixels upright; the facts and the boxes are about the file as it was sent."""
    stored = lopsided((90, 60))
    stored.paste((255, 255, 255), (12, 6, 42, 36))
    tiff = encoded(stored, "TIFF", exif=exif(orientation))
    upright = ImageOps.exif_transpose(opened(tiff)).convert("RGB")
    with preparer(FakePool(upright, format="tiff", orientation=orientation)) as it:
        image = await it.prepare(tiff, options=allowed(max_side=45, rotate=rotate, output_format=OutputFormat.PNG))
    assert (image.facts.width, image.facts.height, image.facts.orientation) == (90, 60, orientation)
    # Upright already, whatever was asked for.
    assert image.sent.orientation == 1
    assert 0x0112 not in opened(image.data).getexif()
    white = (pixels(image.data) > 235).all(axis=2)
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    found = Box(left=columns[0], top=rows[0], width=columns[-1] - columns[0] + 1, height=rows[-1] - rows[0] + 1)
    mapped = map_back(found, image)
    assert np.abs(np.array([mapped.left, mapped.top, mapped.width, mapped.height]) - (12, 6, 30, 30)).max() <= 4


async def test_with_conversions_switched_off_it_is_refused_like_any_format_that_is_not_taken() -> None:
    pool = FakePool(photo((60, 40)))
    with preparer(pool) as it:
        with pytest.raises(GatewayError) as caught:
            await it.prepare(GIF, options=allowed(convert=Convert.NEVER))
        with pytest.raises(GatewayError) as without:
            await it.prepare(GIF)
    assert caught.value.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    assert (caught.value.message, caught.value.measured) == (without.value.message, without.value.measured)
    assert pool.asked == []


class CountingPool(FakePool):
    """Knows how many pictures it has decoded that are not prepared yet, and the most there ever were."""

    def __init__(self) -> None:
        super().__init__(photo((60, 40)))
        self.held = self.most = 0

    async def decode(self, data: bytes, *, max_pixels: int) -> ForeignImage:
        self.held += 1
        self.most = max(self.most, self.held)
        return await super().decode(data, max_pixels=max_pixels)


@pytest.fixture
def counted(monkeypatch) -> CountingPool:
    """A pool whose pictures the native core takes only while its gate is open."""
    pool = CountingPool()
    pool.gate, pool.entered = threading.Event(), threading.Event()
    real = _native.prepare_pixels

    def prepare_pixels(*args: object, **facts: object) -> _native.Prepared:
        pool.entered.set()
        assert pool.gate.wait(10)
        pool.held -= 1
        return real(*args, **facts)

    monkeypatch.setattr(module._native, "prepare_pixels", prepare_pixels)
    yield pool
    pool.gate.set()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - a thread does not set our events
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("at_once", [1, 2, 3])
async def test_no_more_pictures_are_held_decoded_than_the_bound_says(counted, at_once) -> None:
    with Preparer(PrepareSettings(workers=1), counted, foreign_at_once=at_once) as it:
        tasks = [asyncio.create_task(it.prepare(GIF, options=ALLOWED)) for _ in range(8)]
        await until(lambda: counted.entered.is_set() and counted.held == at_once)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(counted.asked) == at_once
        counted.gate.set()
        assert {(await task).sent.width for task in tasks} == {60}
    assert (len(counted.asked), counted.held, counted.most) == (8, 0, at_once)


async def test_what_a_cancelled_call_left_to_a_thread_counts_until_the_thread_has_ended(counted) -> None:
    with Preparer(PrepareSettings(workers=2), counted) as it:
        first = asyncio.create_task(it.prepare(GIF, options=ALLOWED))
        await until(counted.entered.is_set)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        second = asyncio.create_task(it.prepare(GIF, options=ALLOWED))
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(counted.asked) == 1
        counted.gate.set()
        assert (await second).sent.width == 60
    assert counted.most == 1


async def test_whoever_fails_or_is_dropped_leaves_its_place_to_the_next() -> None:
    pool = FakePool(GatewayError(Reason.IMAGE_DAMAGED, "torn"))
    with preparer(pool) as it:
        for _ in range(3):
            with pytest.raises(GatewayError):
                await it.prepare(GIF, options=ALLOWED)
        pool.picture = Image.new("RGB", (9, 9))  # decoded, and then refused
        for _ in range(3):
            with pytest.raises(GatewayError):
                await it.prepare(GIF, options=ALLOWED)
        pool.picture = photo((60, 40))
        assert (await it.prepare(GIF, options=ALLOWED)).sent.width == 60
        it.close()
        for _ in range(3):
            with pytest.raises(GatewayError) as caught:
                await it.prepare(GIF, options=ALLOWED)
            assert caught.value.reason is Reason.SHUTTING_DOWN
    assert not it._foreign.locked()


async def test_cancelling_reaches_the_pool() -> None:
    cancelled = asyncio.Event()
    began = asyncio.Event()

    class Stuck(FakePool):
        async def decode(self, data: bytes, *, max_pixels: int) -> ForeignImage:
            began.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            raise AssertionError

    with preparer(Stuck(photo((60, 40)))) as it:
        task = asyncio.create_task(it.prepare(GIF, options=ALLOWED))
        await began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert cancelled.is_set()
