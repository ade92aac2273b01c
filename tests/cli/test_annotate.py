import builtins
import io

import pytest
from PIL import Image, ImageChops

from gateway.cli.annotate import (
    Annotator,
    annotate,
    require_pillow,
    save_overview,
)
from gateway.config import ConfigError
from gateway.media import Box, LocalizedText, Tag, TagInstance


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


def test_boxes_are_in_stored_pixels() -> None:
    """A box in the stored picture's upper left corner is in the upper right one once it is turned upright."""
    exif = Image.Exif()
    exif[274] = 6
    lying = encoded(Image.new("RGB", (400, 200), "white"), exif=exif)
    plain = annotate(lying, [])
    boxed = annotate(lying, [tag("", Box(0, 0, 60, 40))])
    left, top, right, bottom = ImageChops.difference(plain, boxed).crop((0, 0, 200, 150)).getbbox()
    assert (right, top) == (200, 0)
    assert 155 <= left <= 165
    assert 55 <= bottom <= 65


def panel(name: str) -> bytes:
    return annotate(encoded(Image.new("RGB", (600, 400), "white")), [tag(name)]).tobytes()


def test_chinese_names_are_drawn_each_with_its_own_glyphs() -> None:
    missing = panel("\U0001f600")  # not in the font: drawn as the box for missing glyphs
    assert len({panel("狗"), panel("猫"), panel("鸟"), missing}) == 4


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
