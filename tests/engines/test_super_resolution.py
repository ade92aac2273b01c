"""The shipped networks: what they restore, that no tile shows, what they refuse."""

import hashlib
import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.engines import detail, shipped
from gateway.engines.steps import Cancelled
from gateway.engines.super_resolution import SuperResolution
from gateway.engines.tiles import tiles

VARIANTS = list(itertools.product(("ESPCN", "SRCNN"), (3, 4)))


@pytest.fixture(scope="module")
def engine() -> SuperResolution:
    return SuperResolution()


@pytest.fixture(scope="module")
def espresso(photos) -> np.ndarray:
    """A photograph that nothing was trained on, 384 × 288 pixels of it."""
    return cv2.cvtColor(cv2.imread(str(photos / "espresso.jpg")), cv2.COLOR_BGR2RGB)[60:348, 96:480]


def random_pixels(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def bicubic(pixels: np.ndarray, scale: int) -> np.ndarray:
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean(np.square(one.astype(float) - other.astype(float))))


@pytest.mark.parametrize(("model", "scale"), VARIANTS)
def test_a_photograph_comes_back_better_than_bicubic(engine, espresso, model, scale) -> None:
    small = cv2.resize(espresso, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    restored = psnr(engine.upscale(small, scale=scale, model=model), espresso)
    assert restored >= psnr(bicubic(small, scale), espresso) + 0.8


@pytest.mark.parametrize(("model", "scale"), VARIANTS)
def test_the_result_does_not_depend_on_the_tiles(engine, model, scale) -> None:
    pixels = random_pixels(83, 101)
    whole = SuperResolution(tile=101).upscale(pixels, scale=scale, model=model)
    assert np.array_equal(SuperResolution(tile=19).upscale(pixels, scale=scale, model=model), whole)
    assert np.array_equal(engine.upscale(pixels, scale=scale, model=model), whole)


@pytest.mark.parametrize(("model", "scale"), VARIANTS)
def test_a_pixel_depends_on_its_surroundings_only(engine, model, scale) -> None:
    pixels = random_pixels(64, 64)
    changed = pixels.copy()
    changed[40:] = 255 - changed[40:]
    one, other = (engine.upscale(each, scale=scale, model=model) for each in (pixels, changed))
    assert np.array_equal(one[: 32 * scale], other[: 32 * scale])
    assert not np.array_equal(one[: 40 * scale], other[: 40 * scale])


@pytest.mark.parametrize(("model", "scale"), VARIANTS)
def test_chroma_is_bicubic(engine, model, scale) -> None:
    pixels = random_pixels(30, 30) // 4 + 96  # away from black and white, where clipping changes chroma
    result = engine.upscale(pixels, scale=scale, model=model).astype(float)
    plain = bicubic(pixels.astype(np.float32), scale)
    assert np.abs((result[..., 0] - result[..., 1]) - (plain[..., 0] - plain[..., 1])).max() <= 1.01
    assert np.abs((result[..., 2] - result[..., 1]) - (plain[..., 2] - plain[..., 1])).max() <= 1.01
    assert np.abs(result - plain).max() > 2  # while luma is not


@pytest.mark.parametrize(("model", "scale"), VARIANTS)
@pytest.mark.parametrize("level", [0, 1, 128, 254, 255])
def test_an_even_picture_stays_even(engine, model, scale, level) -> None:
    result = engine.upscale(np.full((20, 14, 3), level, dtype=np.uint8), scale=scale, model=model)
    assert np.abs(result.astype(int) - level).max() <= 1


@pytest.mark.parametrize(("model", "scale"), VARIANTS)
def test_turned_input_gives_nearly_turned_output(engine, espresso, model, scale) -> None:
    """Pixels lie in the middle of what they cover: an enlargement that shifted the picture would fail."""
    small = cv2.resize(espresso, (64, 48), interpolation=cv2.INTER_AREA)
    result = engine.upscale(small, scale=scale, model=model)
    turned = engine.upscale(np.ascontiguousarray(small[::-1, ::-1]), scale=scale, model=model)[::-1, ::-1]
    assert psnr(result, turned) > 36
    assert psnr(result, np.roll(turned, 1, axis=1)) < psnr(result, turned) - 6


@pytest.mark.parametrize(("model", "scale"), VARIANTS)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (7, 2), (161, 3)])
def test_any_size_is_enlarged(engine, model, scale, height, width) -> None:
    pixels = random_pixels(height, width)
    result = engine.upscale(pixels, scale=scale, model=model)
    assert (result.shape, result.dtype) == ((height * scale, width * scale, 3), np.uint8)


def test_input_may_be_a_view_and_stays_as_it_is(engine) -> None:
    pixels = random_pixels(40, 50)
    before = pixels.copy()
    mirrored = engine.upscale(pixels[:, ::-1])
    assert np.array_equal(mirrored, engine.upscale(np.ascontiguousarray(pixels[:, ::-1])))
    pixels.flags.writeable = False
    engine.upscale(pixels)
    assert np.array_equal(pixels, before)


def test_threads_do_not_disturb_each_other(engine) -> None:
    pictures = [random_pixels(40 + number, 50) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(engine.upscale, pictures))
    assert all(np.array_equal(engine.upscale(picture), result) for picture, result in zip(pictures, at_once, strict=True))


def test_the_checkpoint_is_called_for_each_tile_and_stops_the_work() -> None:
    calls = []

    def third_cancels() -> None:
        calls.append(None)
        if len(calls) == 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        SuperResolution(tile=16).upscale(random_pixels(40, 40), checkpoint=third_cancels)
    assert len(calls) == 3


@pytest.mark.parametrize(("model", "scale"), [("ESPCN", 2), ("SRCNN", 5), ("espcn", 3), ("", 3)])
def test_other_models_and_scales_are_refused(engine, model, scale) -> None:
    with pytest.raises(ValueError, match=f"{model!r} with scale {scale}; there are ESPCN and SRCNN"):
        engine.upscale(random_pixels(4, 4), scale=scale, model=model)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), dtype=np.uint8),
        np.zeros((4, 4, 4), dtype=np.uint8),
        np.zeros((0, 4, 3), dtype=np.uint8),
        np.zeros((4, 4, 3), dtype=np.float32),
    ],
)
def test_what_is_no_rgb_picture_is_refused(engine, pixels) -> None:
    with pytest.raises(ValueError, match="not uint8"):
        engine.upscale(pixels)


def test_self_test_passes(engine) -> None:
    engine.self_test()


def test_self_test_notices_a_network_that_does_nothing(engine, monkeypatch) -> None:
    monkeypatch.setattr(detail.DetailNetwork, "detail", lambda network, luma: np.zeros((16 * network.scale,) * 2, np.float32))
    with pytest.raises(ValueError, match="does not sharpen an edge"):
        engine.self_test()


def test_a_damaged_model_is_noticed(tmp_path, monkeypatch) -> None:
    folder = files("gateway.engines") / "data"
    data = tmp_path / "data"
    data.mkdir()
    for path in (*folder.glob("*_x[34].onnx"), *folder.glob("*.sha256")):
        (data / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(shipped, "files", lambda package: tmp_path)
    SuperResolution()
    content = bytearray((data / "srcnn_x4.onnx").read_bytes())
    content[-200] ^= 1
    (data / "srcnn_x4.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"srcnn_x4\.onnx is damaged"):
        SuperResolution()


def test_the_sums_are_those_of_four_small_files() -> None:
    data = files("gateway.engines") / "data"
    sums = dict(line.split()[::-1] for line in (data / "super_resolution.sha256").read_text().splitlines())
    assert set(sums) == {f"{model.lower()}_x{scale}.onnx" for model, scale in VARIANTS}
    for name, expected in sums.items():
        content = (data / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == expected
        assert len(content) < 300_000


def test_the_training_tool_checks_the_files() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tools.train_super_resolution", "--check"]
    assert subprocess.run(command, cwd=root, check=False).returncode == 0


@pytest.mark.parametrize(("height", "width", "side"), [(1, 1, 5), (10, 10, 5), (11, 9, 5), (3, 20, 7)])
def test_tiles_cover_each_pixel_once(height, width, side) -> None:
    covered = np.zeros((height, width), dtype=int)
    for tile in tiles(height, width, side=side, margin=2):
        covered[tile.enlarged(1)] += 1
    assert (covered == 1).all()


def test_a_tile_is_cut_with_its_margin_and_the_border_repeated() -> None:
    pixels = random_pixels(11, 9)
    around = np.pad(pixels, ((4, 4), (4, 4), (0, 0)), mode="edge")
    for tile in tiles(11, 9, side=5, margin=4):
        assert np.array_equal(tile.cut(pixels), around[tile.top : tile.bottom + 8, tile.left : tile.right + 8])
