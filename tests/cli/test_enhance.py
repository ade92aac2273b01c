"""`image-gateway enhance` in this process, on real photographs."""

import numpy as np
import pytest
from PIL import Image

from gateway.cli.main import main


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    status = main(["enhance", *map(str, arguments)])
    output = capsys.readouterr()
    return status, output.out, output.err


@pytest.fixture
def night(tmp_path, photos):
    """The castle in a sixth of its light."""
    path = tmp_path / "night.png"
    with Image.open(photos / "castle.jpg") as castle:
        castle.resize((300, 225)).point(lambda sample: sample // 6).save(path)
    return path


def brightness(path) -> float:
    with Image.open(path) as picture:
        return float(np.asarray(picture.convert("L")).mean())


def test_a_dark_picture_is_brightened_as_much_as_is_asked(capsys, night, tmp_path) -> None:
    status, said, _ = run(capsys, "dark", night, tmp_path / "a.png")
    assert status == 0
    assert "300x225 PNG" in said
    assert run(capsys, "dark", night, tmp_path / "b.png", "--brightness", "0.3")[0] == 0
    assert brightness(tmp_path / "a.png") > brightness(tmp_path / "b.png") > brightness(night)
    assert brightness(tmp_path / "a.png") > 2 * brightness(night)


def test_haze_is_removed_more_where_that_is_asked(capsys, photos, tmp_path) -> None:
    hazy = tmp_path / "hazy.png"
    with Image.open(photos / "castle.jpg") as castle:
        Image.blend(castle.resize((300, 225)), Image.new("RGB", (300, 225), (225, 228, 230)), 0.55).save(hazy)
    for name, flags in (("natural.png", []), ("strong.png", ["--strong"]), ("bright.png", ["--gamma", "3"])):
        assert run(capsys, "defog", hazy, tmp_path / name, *flags)[0] == 0
    contrast = {path.stem: float(np.asarray(Image.open(path).convert("L")).std()) for path in tmp_path.glob("*.png")}
    assert contrast["natural"] > 1.2 * contrast["hazy"]
    assert brightness(tmp_path / "bright.png") > brightness(tmp_path / "natural.png")
    assert (tmp_path / "strong.png").read_bytes() != (tmp_path / "natural.png").read_bytes()


@pytest.mark.parametrize(("flags", "size"), [([], (1353, 900)), (["--scale", "4", "--model", "ESPCN"], (1804, 1200))])
def test_a_picture_is_enlarged(capsys, photos, tmp_path, flags, size) -> None:
    assert run(capsys, "upscale", photos / "cat.png", tmp_path / "large.png", *flags)[0] == 0
    with Image.open(tmp_path / "large.png") as large:
        assert (large.format, large.size) == ("PNG", size)


def test_a_file_that_exists_is_replaced_only_on_request(capsys, night, tmp_path) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(b"precious")
    status, _, complaint = run(capsys, "dark", night, out)
    assert (status, out.read_bytes()) == (2, b"precious")
    assert "--overwrite" in complaint
    assert run(capsys, "dark", night, out, "--overwrite")[0] == 0
    assert out.read_bytes() != b"precious"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["dark", "--brightness", "2"], "brightness is 2; it must be 0 to 1"),
        (["defog", "--gamma", "0"], "gamma is 0; it must be 0.1 to 10"),
        (["upscale", "--scale", "2"], "scale is 2; it must be 3 or 4"),
    ],
)
def test_a_parameter_out_of_range_is_named(capsys, night, tmp_path, arguments, complaint) -> None:
    status, _, said = run(capsys, arguments[0], night, tmp_path / "out.png", *arguments[1:])
    assert status == 2
    assert complaint in said
    assert not (tmp_path / "out.png").exists()


def test_a_file_that_is_no_picture_is_refused_by_name(capsys, tmp_path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    status, _, said = run(capsys, "defog", tmp_path / "a.txt", tmp_path / "out.png")
    assert status == 1
    assert "a.txt: " in said
    assert "not a known image format" in said
    status, _, said = run(capsys, "defog", tmp_path / "missing.jpg", tmp_path / "out.png")
    assert status == 1
    assert "missing.jpg: the file cannot be read" in said


def test_a_place_that_cannot_be_written_to_is_refused_before_any_work(capsys, night, tmp_path) -> None:
    for place in (tmp_path / "nowhere" / "out.png", tmp_path):
        status, _, said = run(capsys, "dark", night, place, "--overwrite")
        assert status == 2
        assert "must name a file in a folder that exists" in said


def test_a_name_that_says_something_else_is_told(capsys, night, tmp_path) -> None:
    status, _, said = run(capsys, "dark", night, tmp_path / "out.jpg")
    assert status == 0
    assert "is a PNG file" in said
    assert run(capsys, "dark", night, tmp_path / "out.PNG")[2] == ""
