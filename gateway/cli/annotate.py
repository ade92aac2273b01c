"""Pictures with their tags drawn in. Needs the `annotate` extra (Pillow)."""

import io
import itertools
import logging
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.boxes import turned_back
from gateway.cli.outlines import Area, Outline, draw_outlines
from gateway.cli.places import places
from gateway.config import ConfigError
from gateway.media import Box, ImageFacts, Tag

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
_ORIENTATION: Final = 0x0112
"""The tag of EXIF that says how the picture is to be turned."""


def require_pillow() -> None:
    """Raise `ConfigError` unless pictures can be drawn."""
    try:
        import PIL  # noqa: F401, PLC0415  # an extra: most installations neither have nor need it
    except ImportError as error:
        msg = "drawing annotated pictures needs Pillow: pip install 'image-gateway[annotate]'"
        raise ConfigError([msg]) from error


def annotate(data: bytes, tags: Sequence[Tag], *, max_side: int = 1280) -> "Image.Image":
    """Draw boxes with names, and the most confident tags, into a picture, upright and at most `max_side` pixels long.

    Boxes are in pixels of the picture as stored, before its EXIF orientation, like those of the contract.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415  # as above

    with Image.open(io.BytesIO(data)) as opened:
        stored, orientation = opened.size, opened.getexif().get(_ORIENTATION)
        picture = ImageOps.exif_transpose(opened).convert("RGB")
    full_width = picture.width
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    # The names need some room: tiny pictures are shown larger, slivers on a canvas.
    if max(picture.size) < _LEAST_SIDE:
        picture = ImageOps.contain(picture, (_LEAST_SIDE, _LEAST_SIDE), Image.Resampling.LANCZOS)
    scale, indent = picture.width / full_width, 0
    if min(picture.size) < _LEAST_SIDE // 2:
        canvas = (max(picture.width, _LEAST_SIDE), max(picture.height, _LEAST_SIDE * 3 // 4))
        background = Image.new("RGB", canvas, _CANVAS_COLOR)
        indent = (canvas[0] - picture.width) // 2
        background.paste(picture, (indent, 0))
        picture = background
    font = _font(max(12, round(min(picture.size) / 18)))
    panel = _panel(tags[:SHOWN_TAGS], font)
    corner = max(0, picture.height - panel.height)
    outlines = [Outline(_scaled(_upright(place.box, stored, orientation), scale, indent), place.name) for place in places(tags)]
    draw_outlines(picture, outlines, font, kept_free=(0, corner, panel.width, picture.height))
    picture.paste(panel, (0, corner), panel)
    return picture


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


def _upright(box: Box, stored: tuple[int, int], orientation: object) -> Box:
    """Apply EXIF `orientation`, as read from a file of `stored` width and height, to a box in stored pixels."""
    # To turn by a quarter is to undo a turn by a quarter the other way; every other orientation undoes itself.
    undoes = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, 1) if isinstance(orientation, int) else 1
    return turned_back(box, ImageFacts("", *stored, orientation=1, size_bytes=0), undoes)[0]


def _scaled(box: Box, scale: float, indent: int) -> Area:
    left, top = round(box.left * scale), round(box.top * scale)
    right, bottom = round((box.left + box.width) * scale), round((box.top + box.height) * scale)
    return left + indent, top, right + indent, bottom


def _panel(tags: Sequence[Tag], font: "ImageFont.FreeTypeFont") -> "Image.Image":
    """A half-transparent panel with names, confidences and bars."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  # as above

    size = round(font.size)
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
    return panel


@cache
def _font(size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont  # noqa: PLC0415  # as above

    return ImageFont.truetype(io.BytesIO(_FONT.read_bytes()), size)
