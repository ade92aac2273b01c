"""Headers that promise more pixels than anyone should decode are refused before anything is allocated."""

import resource
import struct
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from gateway.errors import GatewayError, Reason
from gateway.prepare import Convert, Operation, PrepareOptions, Preparer
from gateway.prepare.settings import PrepareSettings

from .pictures import DISPLAY_P3, encoded, photo, png_header, rgb_profile


def jpeg_header(width: int, height: int, **options: object) -> bytes:
    """A small file whose frame says that it is large."""
    data = bytearray(encoded(photo((40, 30)), "JPEG", **options))
    frame = data.index(b"\xff\xc2\0\x11\x08" if options.get("progressive") else b"\xff\xc0\0\x11\x08")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def lossless_webp_header(width: int, height: int) -> bytes:
    data = bytearray(encoded(photo((40, 30)), "WEBP", lossless=True))
    start = data.index(b"VP8L") + 9
    bits = int.from_bytes(data[start : start + 4], "little")
    bits = bits >> 28 << 28 | (height - 1) << 14 | (width - 1)
    data[start : start + 4] = bits.to_bytes(4, "little")
    return bytes(data)


def lossy_webp_header(width: int, height: int) -> bytes:
    data = bytearray(encoded(photo((40, 30)), "WEBP"))
    start = data.index(b"\x9d\x01\x2a") + 3
    data[start : start + 4] = struct.pack("<HH", width, height)
    return bytes(data)


def rle_bmp_header(width: int, height: int) -> bytes:
    """Run-length encoded: how long its data is does not follow from its sides."""
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, 2, 0, 0, 256, 0)
    offset = 14 + 40 + 1024
    return b"BM" + struct.pack("<IHHI", offset + 2, 0, 0, offset) + header + bytes(1024) + b"\0\x01"


BOMBS = {
    "png": png_header(2**31 - 1, 2**31 - 1),
    "wide.png": png_header(2**31 - 1, 400_000_000),
    "jpeg": jpeg_header(65_500, 65_500),
    "progressive.jpeg": jpeg_header(65_500, 65_500, progressive=True),
    "profile.jpeg": jpeg_header(65_500, 65_500, icc_profile=rgb_profile(DISPLAY_P3, 2.2)),
    "lossless.webp": lossless_webp_header(16_384, 16_384),
    "lossy.webp": lossy_webp_header(16_383, 16_383),
    "bmp": rle_bmp_header(60_000, 60_000),
}

OPTIONS = [PrepareOptions(), PrepareOptions(max_side=100), PrepareOptions(full_decode=True, convert=Convert.ALWAYS)]


@pytest.fixture
def small() -> Iterator[Preparer]:
    """One that decodes a megapixel at most."""
    with Preparer(PrepareSettings(max_pixels=1_000_000)) as preparer:
        yield preparer


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("options", OPTIONS, ids=["default", "max_side", "all"])
def test_a_bomb_is_refused_by_its_header(preparer, name, options) -> None:
    data = BOMBS[name]
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.thread_time()
    with pytest.raises(GatewayError) as caught:
        preparer.prepare_now(data, options=options)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert caught.value.__cause__.kind == "too_many_pixels"
    assert caught.value.reason is Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE
    assert caught.value.allowed == "at most 100000000 pixels"
    assert caught.value.measured.endswith(" px")
    assert time.thread_time() - started < 0.5
    assert after.ru_maxrss - before.ru_maxrss < 32 << 10  # KiB


@pytest.mark.parametrize("name", BOMBS)
def test_looking_at_a_bomb_refuses_it_as_well(preparer, name) -> None:
    for look in (preparer.inspect, preparer.check):
        with pytest.raises(GatewayError) as caught:
            look(BOMBS[name])
        assert caught.value.__cause__.kind == "too_many_pixels"


@pytest.mark.parametrize("name", BOMBS)
async def test_nor_does_it_reach_a_thread(preparer, monkeypatch, name) -> None:
    monkeypatch.setattr(preparer, "_pool", None)
    with pytest.raises(GatewayError) as caught:
        await preparer.prepare(BOMBS[name])
    assert caught.value.__cause__.kind == "too_many_pixels"


def test_the_budget_is_inclusive(small) -> None:
    fits, bomb = (encoded(Image.new("1", size), "PNG") for size in ((1000, 1000), (1000, 1001)))
    assert small.prepare_now(fits, options=PrepareOptions(max_side=100)).sent.width == 100
    with pytest.raises(GatewayError) as caught:
        small.prepare_now(bomb, options=PrepareOptions(max_side=100))
    assert caught.value.measured == "1000x1001 px"
    assert "1001000 pixels" in caught.value.message


def test_what_is_not_decoded_may_have_more(small) -> None:
    data = encoded(Image.new("L", (2000, 2000)), "JPEG")
    assert small.prepare_now(data).data is data
    touching = [
        (Operation.TAGGING, PrepareOptions(full_decode=True)),
        (Operation.TAGGING, PrepareOptions(max_side=1000)),
        (Operation.TAGGING, PrepareOptions(max_bytes=1024)),
    ]
    for operation, options in touching:
        with pytest.raises(GatewayError) as caught:
            small.prepare_now(data, operation, options)
        assert caught.value.__cause__.kind == "too_many_pixels"
    webp = encoded(Image.new("L", (2000, 2000)), "WEBP", method=0)
    with pytest.raises(GatewayError) as caught:
        small.prepare_now(webp, Operation.SUPER_RESOLUTION)
    assert caught.value.__cause__.kind == "too_many_pixels"


# A run-length encoded bitmap that ends at once is black, and valid.
HOLLOW = {
    "png": png_header(5000, 5000),
    "wide.png": png_header(50_000, 1000),
    "jpeg": jpeg_header(5000, 5000),
    "progressive.jpeg": jpeg_header(5000, 5000, progressive=True),
    "profile.jpeg": jpeg_header(5000, 5000, icc_profile=rgb_profile(DISPLAY_P3, 2.2)),
    "lossless.webp": lossless_webp_header(5000, 5000),
    "lossy.webp": lossy_webp_header(5000, 5000),
}


@pytest.mark.parametrize("name", HOLLOW)
def test_a_header_within_the_budget_with_nothing_behind_it_is_damage(preparer, name) -> None:
    """Cheap to send, and it must be cheap to refuse: work follows what is there, not what is promised."""
    started = time.thread_time()
    with pytest.raises(GatewayError) as caught:
        preparer.prepare_now(HOLLOW[name])
    assert caught.value.reason is Reason.IMAGE_DAMAGED
    assert time.thread_time() - started < 2
