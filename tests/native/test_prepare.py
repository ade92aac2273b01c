"""Preparation as the native core offers it: what it takes, what it tells, and files of every variant through every policy."""

import io
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps

from gateway import _native

SWITCHES = {
    "fit": (True, False),
    "shrink": (True, False),
    "rotate": (True, False),
    "convert": ("never", "needed", "always"),
    "strip": (True, False),
    "full_decode": (True, False),
    "alpha": ("white", "keep"),
    "output": ("auto", "jpeg", "png"),
}


def policies() -> list[dict[str, object]]:
    """Each switch at each value, with a small side or length wanted, or neither."""
    sizes: list[dict[str, object]] = [{}, {"target_side": 24}, {"max_base64": 2000}, {"target_side": 30, "max_base64": 1368}]
    return [size | {name: value} for size in sizes for name, values in SWITCHES.items() for value in values]


POLICIES = policies()


def outcome(data: bytes, policy: _native.Policy) -> tuple[_native.Prepared | None, str]:
    """What comes out, or the kind of refusal."""
    try:
        return _native.prepare(data, policy), ""
    except _native.ImageError as error:
        return None, error.kind


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"quality": 0}, "quality is 0; it must be 1 to 100"),
        ({"quality": 101}, "quality is 101; it must be 1 to 100"),
        ({"min_side": 0}, "1 <= min_side <= max_side"),
        ({"min_side": 50, "max_side": 49}, "min_side is 50 and max_side 49"),
        ({"convert": "maybe"}, 'convert is "maybe"; it must be never, needed or always'),
        ({"alpha": "black"}, 'alpha is "black"; it must be white or keep'),
        ({"output": "webp"}, 'output is "webp"; it must be auto, jpeg or png'),
        ({"formats": ["gif"]}, 'format is "gif"; it must be jpeg, png, bmp or webp'),
    ],
)
def test_a_policy_is_checked(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")) as caught:
        _native.Policy(**wrong)
    assert not isinstance(caught.value, _native.ImageError)


def test_policies_compare_by_value() -> None:
    assert _native.Policy() == _native.Policy(formats=["webp", "bmp", "png", "jpeg"], max_base64=_native.MAX_BASE64)
    assert _native.Policy() != _native.Policy(strip=False)
    with pytest.raises(AttributeError):
        _native.Policy().fit = False  # type: ignore[attr-defined]  # which is the point
    with pytest.raises(TypeError):
        _native.Policy(True)  # type: ignore[misc]


@pytest.mark.parametrize("index", range(len(POLICIES)))
def test_every_file_comes_out_fit_or_is_refused(files: dict[str, bytes], index: int) -> None:
    wanted = POLICIES[index]
    policy = _native.Policy(**wanted)
    max_side = wanted.get("target_side", 4096) if wanted.get("fit", True) else 4096
    refused = set()
    for name, data in files.items():
        prepared, refusal = outcome(data, policy)
        if prepared is None:
            assert refusal in {"conversion_needed", "encoded_too_large"}, name
            refused.add(refusal)
            continue
        result = data if prepared.data is None else prepared.data
        info = _native.validate(result, max_side=max_side, max_base64=wanted.get("max_base64", _native.MAX_BASE64))
        assert (prepared.format, prepared.width, prepared.height) == (info.format, info.width, info.height), name
        assert prepared.orientation == info.orientation, name
        assert prepared.info == _native.probe(data), name
        assert (prepared.data is None) == (prepared.actions == []), name
        Image.open(io.BytesIO(result)).load()
        again = _native.prepare(result, policy)
        assert again.data is None, f"{name}: {again.actions}"
        plan = _native.plan(data, policy)
        names = [action for action, _ in prepared.actions]
        assert plan.changes_pixels <= (names != []), name
        assert not (plan.changes_pixels and "strip_metadata" in names), name
        if "shrink" not in names:
            turned = "rotate" in names and prepared.info.orientation >= 5
            assert (plan.width, plan.height) == ((info.height, info.width) if turned else (info.width, info.height)), name
    assert refused <= (
        ({"conversion_needed"} if wanted.get("convert") == "never" else set())
        | ({"encoded_too_large"} if "max_base64" in wanted else set())
    )


def test_everything_can_be_made_fit(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        prepared = _native.prepare(data, _native.Policy(max_base64=_native.base64_length(1200), formats=["jpeg", "png"]))
        assert len(prepared.data or data) <= 1200, name


@pytest.mark.parametrize("formats", [["jpeg"], ["png"], ["jpeg", "bmp"], ["png", "webp"]])
@pytest.mark.parametrize("output", ["auto", "jpeg", "png"])
@pytest.mark.parametrize("alpha", ["white", "keep"])
@pytest.mark.parametrize("limit", [10_485_760, 2000])
def test_nothing_is_written_in_a_format_that_is_not_taken(
    files: dict[str, bytes], formats: list[str], output: str, alpha: str, limit: int
) -> None:
    policy = _native.Policy(formats=formats, output=output, alpha=alpha, max_base64=limit)
    for name, data in files.items():
        prepared, refusal = outcome(data, policy)
        if prepared is None:
            assert (refusal, limit) == ("encoded_too_large", 2000), name
        else:
            assert prepared.format in formats, name


# Pixels of somebody else.


def test_pixels_are_written() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    prepared = _native.prepare_pixels(pixels.tobytes(), 30, 20, _native.Policy(output="png"), what="GIF, frame 1", size=999)
    assert prepared.actions == [("convert", "GIF, frame 1")]
    assert (prepared.format, prepared.width, prepared.height, prepared.orientation) == ("png", 30, 20, 1)
    assert (np.asarray(Image.open(io.BytesIO(prepared.data))) == pixels).all()


def test_pixels_may_have_an_alpha() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 4), np.uint8)
    kept = _native.prepare_pixels(pixels.tobytes(), 30, 20, _native.Policy(alpha="keep"), what="TIFF", size=9)
    assert (np.asarray(Image.open(io.BytesIO(kept.data))) == pixels).all()
    white = _native.prepare_pixels(pixels.tobytes(), 30, 20, _native.Policy(output="png"), what="TIFF", size=9)
    alpha = pixels[..., 3:] / 255
    expected = (pixels[..., :3] * alpha + 255 * (1 - alpha)).round()
    assert (np.asarray(Image.open(io.BytesIO(white.data))) == expected).all()
    assert white.actions == [("convert", "TIFF"), ("convert", "alpha")]


@pytest.mark.parametrize(
    ("width", "height", "length"),
    [(30, 20, 1799), (30, 20, 1801), (0, 20, 0), (30, 20, 600), (2**31, 2**31, 12), (2**32 - 1, 1, 3)],
)
def test_pixels_have_to_be_as_many_as_are_said(width: int, height: int, length: int) -> None:
    with pytest.raises(ValueError, match="bytes are not") as caught:
        _native.prepare_pixels(bytes(length), width, height, _native.Policy(), what="GIF", size=1)
    assert not isinstance(caught.value, _native.ImageError)


@pytest.mark.parametrize(("size", "kind"), [((14, 30), "dimensions_out_of_range"), ((2000, 15), "cannot_fit")])
def test_pixels_have_the_same_limits(size: tuple[int, int], kind: str) -> None:
    with pytest.raises(_native.ImageError) as caught:
        _native.prepare_pixels(bytes(size[0] * size[1] * 3), *size, _native.Policy(target_side=1000), what="GIF", size=1)
    assert caught.value.kind == kind


@pytest.mark.parametrize("formats", [["jpeg"], ["png"], ["jpeg", "png", "webp"]])
@pytest.mark.parametrize("convert", ["never", "needed", "always"])
def test_pixels_are_taken_whatever_formats_are_and_conversions(formats: list[str], convert: str) -> None:
    """They are of no format, and are written as one that is taken."""
    policy = _native.Policy(formats=formats, convert=convert)
    prepared = _native.prepare_pixels(bytes(20 * 20 * 3), 20, 20, policy, what="GIF", size=1)
    assert prepared.format in formats
    assert prepared.actions == [("convert", "GIF")]


# The array's face agrees with the file's.


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_prepared_without_loss_is_what_is_decoded(encode: Callable[..., bytes], orientation: int) -> None:
    picture = Image.fromarray(np.random.default_rng(2).integers(0, 256, (37, 53, 3), np.uint8)).quantize(200)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(picture, "PNG", exif=exif)
    prepared = _native.prepare(data, _native.Policy(convert="always", output="png"))
    stored = np.asarray(Image.open(io.BytesIO(prepared.data)))
    assert (stored == _native.decode_rgb(data)).all()
    assert (stored == np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))).all()


@pytest.mark.parametrize("call", ["prepare", "plan"])
@pytest.mark.parametrize("data", [None, "text", 3])
def test_only_bytes_are_taken(call: str, data: object) -> None:
    with pytest.raises(TypeError):
        getattr(_native, call)(data, _native.Policy())


def test_other_threads_run_meanwhile(encode: Callable[..., bytes]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (1200, 1500, 3), np.uint8)
    data = encode(Image.fromarray(noise), "PNG", compress_level=0)
    done = threading.Event()

    def prepare() -> None:
        _native.prepare(data, _native.Policy(target_side=1100))
        done.set()

    thread = threading.Thread(target=prepare)
    thread.start()
    turns = 0
    while not done.is_set():
        time.sleep(0)
        turns += 1
    thread.join()
    # A thread that held the lock would let this one turn once or twice.
    assert turns > 20
