"""Pictures with their tags drawn in. Needs the `annotate` extra (Pillow)."""

import io
import itertools
import logging
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.config import ConfigError
from gateway.media import Tag

if TYPE_CHECKING:
    from PIL import Image, ImageFont

_log = logging.getLogger(__name__)

SHOWN_TAGS: Final = 5
_LEAST_SIDE: Final = 320
_CANVAS_COLOR: Final = (32, 36, 44)
_FONT: Final = files("gateway.cli") / "fonts" / "NotoSansSC-subset.otf"
_PANEL_COLOR: Final = (16, 20, 28, 205)
_BAR_COLOR: Final = (64, 150, 255, 255)
_BAR_BACK_COLOR: Final = (255, 255, 255, 40)
_TEXT_COLOR: Final = (255, 255, 255, 255)
_BOX_COLOR: Final = (255, 196, 0, 255)


def require_pillow() -> None:
    """Raise `ConfigError` unless pictures can be drawn."""
    try:
        import PIL  # noqa: F401, PLC0415  # an extra: most installations neither have nor need it
    except ImportError as error:
        msg = "drawing annotated pictures needs Pillow: pip install 'image-gateway[annotate]'"
        raise ConfigError([msg]) from error


def annotate(data: bytes, tags: Sequence[Tag], *, max_side: int = 1280) -> "Image.Image":
    """Draw boxes and the most confident tags into a picture, upright and at most `max_side` pixels long.

    Boxes are in pixels of the picture as stored, before its EXIF orientation, like those of the contract.
    """
    from PIL import Image, ImageDraw, ImageOps  # noqa: PLC0415  # as above

    with Image.open(io.BytesIO(data)) as opened:
        orientation = opened.getexif()
        picture = opened.convert("RGB")
    draw = ImageDraw.Draw(picture)
    for tag in tags:
        for instance in tag.instances:
            box = instance.box
            line = max(2, max(picture.size) // 300)
            draw.rectangle((box.left, box.top, box.left + box.width, box.top + box.height), outline=_BOX_COLOR, width=line)
    picture.getexif().update(orientation)
    picture = ImageOps.exif_transpose(picture)
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    # The names need some room: tiny pictures are shown larger, slivers on a canvas.
    if max(picture.size) < _LEAST_SIDE:
        picture = ImageOps.contain(picture, (_LEAST_SIDE, _LEAST_SIDE), Image.Resampling.LANCZOS)
    if min(picture.size) < _LEAST_SIDE // 2:
        canvas = (max(picture.width, _LEAST_SIDE), max(picture.height, _LEAST_SIDE * 3 // 4))
        background = Image.new("RGB", canvas, _CANVAS_COLOR)
        background.paste(picture, ((canvas[0] - picture.width) // 2, 0))
        picture = background
    return _with_panel(picture, tags[:SHOWN_TAGS])


class Annotator:
    """Writes annotated pictures into one folder, under names that do not collide."""

    def __init__(self, folder: Path) -> None:
        """Make the folder. Raises `ConfigError` without Pillow, `OSError` if the folder cannot be had."""
        require_pillow()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._taken: set[str] = set()

    def save(self, file: Path, tags: Sequence[Tag]) -> Path | None:
        """Write the annotated picture of `file` and return its path; None, and a warning, if Pillow cannot read it."""
        names = itertools.chain([file.name], (f"{file.stem}-{number}{file.suffix}" for number in itertools.count(2)))
        name = next(name for name in names if name not in self._taken)
        self._taken.add(name)
        path = self._folder / f"{name}.tagged.jpg"
        try:
            annotate(file.read_bytes(), tags).save(path, quality=88)
        except (OSError, ValueError, SyntaxError) as error:  # what Pillow raises for files that it dislikes
            _log.warning("no annotated picture of %s: %s", file, error)
            return None
        return path


def save_overview(pictures: Sequence[Path], path: Path, *, columns: int = 4, cell: tuple[int, int] = (400, 300)) -> None:
    """Write one picture that shows all annotated ones, at most `columns` in a row."""
    from PIL import Image, ImageOps  # noqa: PLC0415  # as above

    gap = 8
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    size = (columns * (cell[0] + gap) + gap, rows * (cell[1] + gap) + gap)
    sheet = Image.new("RGB", size, _CANVAS_COLOR)
    for position, picture in enumerate(pictures):
        with Image.open(picture) as opened:
            fitted = ImageOps.pad(opened, cell, Image.Resampling.LANCZOS, color=_CANVAS_COLOR)
        row, column = divmod(position, columns)
        sheet.paste(fitted, (gap + column * (cell[0] + gap), gap + row * (cell[1] + gap)))
    sheet.save(path, quality=85)


def _with_panel(picture: "Image.Image", tags: Sequence[Tag]) -> "Image.Image":
    """Put a panel with names, confidences and bars over the lower left corner."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  # as above

    size = max(12, round(min(picture.size) / 18))
    font = _font(size)
    lines = [(f"{tag.confidence:.0f} %", tag.name, tag.confidence) for tag in tags] or [("", "—", 0.0)]
    percent_width = round(font.getlength("100 %")) + size // 2
    width = percent_width + max(round(font.getlength(name)) for _, name, _ in lines) + size
    width = max(width, size * 8)
    line_height = round(size * 1.7)
    panel = Image.new("RGBA", (width, line_height * len(lines) + size // 2), _PANEL_COLOR)
    draw = ImageDraw.Draw(panel)
    for position, (percent, name, confidence) in enumerate(lines):
        top = size // 4 + position * line_height
        bar = top + round(size * 1.45)
        draw.text((size // 2, top), percent, font=font, fill=_TEXT_COLOR)
        draw.text((size // 2 + percent_width, top), name, font=font, fill=_TEXT_COLOR)
        span = width - size
        draw.rectangle((size // 2, bar, size // 2 + span, bar + 2), fill=_BAR_BACK_COLOR)
        draw.rectangle((size // 2, bar, size // 2 + round(span * confidence / 100), bar + 2), fill=_BAR_COLOR)
    annotated = picture.convert("RGBA")
    annotated.alpha_composite(panel, (0, max(0, picture.height - panel.height)))
    return annotated.convert("RGB")


@cache
def _font(size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont  # noqa: PLC0415  # as above

    return ImageFont.truetype(io.BytesIO(_FONT.read_bytes()), size)
