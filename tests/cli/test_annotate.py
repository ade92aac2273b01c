import builtins
import io
from importlib.resources import files

import pytest
from PIL import Image, ImageChops, ImageFont

from gateway.cli.annotate import (
    Annotator,
    annotate,
    require_pillow,
    save_overview,
)
from gateway.config import ConfigError
from gateway.media import Box, LocalizedText, Tag, TagInstance

BLUE, YELLOW = (0, 0, 255), (255, 196, 0)


def tag(name: str, *boxes: Box) -> Tag:
    instances = tuple(TagInstance(box, 90.0) for box in boxes)
    return Tag(name=name, confidence=80.0, type="object", localized_name=LocalizedText(en=name), instances=instances)


def encoded(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def test_the_picture_comes_upright_and_bounded() -> None:
    exif = Image.Exif()
    exif[274] = 6  # shown turned by a quarter
    lying = encoded(Image.new("RGB", (1600, 800), "white"), exif=exif)
    assert annotate(lying, [tag("x")], max_side=400).size == (200, 400)


@pytest.mark.parametrize("orientation", range(10))
def test_boxes_are_in_stored_pixels(orientation) -> None:
    """The box around a blue patch stays around it, however the picture is turned upright."""
    stored = Image.new("RGB", (600, 400), "white")
    stored.paste(BLUE, (250, 60, 370, 140))
    exif = Image.Exif()
    exif[274] = orientation
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", exif=exif)
    picture = annotate(buffer.getvalue(), [tag("x", Box(250, 60, 120, 80))])
    turned = orientation in {5, 6, 7, 8}
    assert picture.size == ((400, 600) if turned else (600, 400))
    patch = [(x, y) for x in range(picture.width) for y in range(picture.height) if picture.getpixel((x, y)) == BLUE]
    (left, right), (top, bottom) = ((min(along), max(along)) for along in zip(*patch, strict=True))
    lines = 4
    size = (right - left + 1 + lines, bottom - top + 1 + lines)
    assert size == ((80, 120) if turned else (120, 80))
    across, down = (left + right) // 2, (top + bottom) // 2
    for beside in [(left - 1, down), (right + 1, down), (across, top - 1), (across, bottom + 1)]:
        assert picture.getpixel(beside) == YELLOW


@pytest.mark.parametrize(
    ("size", "box", "inside", "outside"),
    [
        ((1600, 800), Box(800, 400, 400, 200), (299, 125), (304, 125)),  # shrunk to a quarter
        ((160, 100), Box(40, 20, 80, 60), (239, 100), (244, 100)),  # shown twice as large
        ((20, 400), Box(0, 200, 10, 100), (159, 250), (165, 250)),  # a sliver in the middle of a canvas
    ],
)
def test_boxes_fit_the_size_that_is_shown(size, box, inside, outside) -> None:
    picture = annotate(encoded(Image.new("RGB", size, "white")), [tag("x", box)], max_side=400)
    assert picture.getpixel(inside) == YELLOW
    assert min(picture.getpixel(outside)) > 250


def test_a_box_that_tags_share_is_drawn_once_with_one_name() -> None:
    blank = encoded(Image.new("RGB", (800, 600), "white"))
    box = Box(300, 100, 200, 150)
    upper_half = (0, 0, 800, 300)
    both, one = (annotate(blank, [tag(name, box) for name in names]).crop(upper_half) for names in (["dog", "dog"], ["dog"]))
    assert both.tobytes() == one.tobytes()
    assert one.tobytes() != annotate(blank, [tag("cat", box)]).crop(upper_half).tobytes()


def panel(name: str) -> bytes:
    return annotate(encoded(Image.new("RGB", (600, 400), "white")), [tag(name)]).tobytes()


def test_chinese_names_are_drawn_each_with_its_own_glyphs() -> None:
    missing = panel("\U0001f600")  # not in the font: drawn as the box for missing glyphs
    assert len({panel("狗"), panel("猫"), panel("鸟"), missing}) == 4


def test_the_font_has_a_glyph_for_every_name_that_the_engine_knows() -> None:
    font = ImageFont.truetype(io.BytesIO((files("gateway.cli") / "fonts" / "NotoSansSC-subset.otf").read_bytes()), 24)
    tables = [path for path in (files("gateway.engines") / "data").iterdir() if path.name.endswith(".tsv")]
    written = {character for table in tables for character in table.read_text(encoding="utf-8") if character.isprintable()}
    missing = bytes(font.getmask("\U0001f600"))
    assert "狗" in written
    assert [character for character in sorted(written) if bytes(font.getmask(character)) == missing] == []


def test_nothing_recognised_is_said() -> None:
    blank = encoded(Image.new("RGB", (300, 300), "white"))
    assert ImageChops.difference(annotate(blank, []), Image.new("RGB", (300, 300), "white")).getbbox() is not None


@pytest.mark.parametrize("size", [(15, 15), (15, 4096), (4096, 15)])
def test_pictures_of_any_allowed_shape_are_drawn(size) -> None:
    assert min(annotate(encoded(Image.new("RGB", size)), [tag("a rather long name")]).size) >= 160


def test_files_are_written_under_names_that_do_not_collide(tmp_path, photos) -> None:
    annotator = Annotator(tmp_path)
    paths = [annotator.save(photos / name, [tag("x")]) for name in ("dog.jpg", "cat.png", "dog.jpg", "dog.jpg")]
    assert [path.name for path in paths] == [f"{name}.tagged.jpg" for name in ("dog.jpg", "cat.png", "dog-2.jpg", "dog-3.jpg")]
    assert len(set(paths)) == 4
    save_overview(paths, tmp_path / "overview.jpg", columns=3, cell=(100, 80))
    with Image.open(tmp_path / "overview.jpg") as overview:
        assert overview.size == (3 * 108 + 8, 2 * 88 + 8)


def test_without_pillow_the_way_to_get_it_is_named(monkeypatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name == "PIL":
            raise ImportError
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'image-gateway\[annotate\]'"):
        require_pillow()
