"""Rectangles around things, with their names, drawn into a picture. Needs the `annotate` extra (Pillow)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Area = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; the last two are just outside."""

_LINE_COLOR: Final = (255, 196, 0)
_TEXT_COLOR: Final = (16, 20, 28)


@dataclass(frozen=True, slots=True)
class Outline:
    """A rectangle in pixels of the picture that is drawn into, and the name to write beside it."""

    area: Area
    name: str


def draw_outlines(
    picture: "Image.Image", outlines: Sequence[Outline], font: "ImageFont.FreeTypeFont", *, kept_free: Area
) -> None:
    """Draw all rectangles, and those names that have room off `kept_free`."""
    from PIL import ImageDraw  # noqa: PLC0415  # an extra: most installations neither have nor need it

    draw = ImageDraw.Draw(picture)
    line = max(2, max(picture.size) // 300)
    for outline in outlines:
        left, top, right, bottom = outline.area
        draw.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=_LINE_COLOR, width=line)
    margin = round(font.size / 4)
    height = sum(font.getmetrics())
    labels = [(outline.area, (round(font.getlength(outline.name)) + 2 * margin, height)) for outline in outlines]
    for outline, spot in zip(outlines, arranged(labels, picture.size, kept_free), strict=True):
        if spot is not None:
            draw.rectangle(spot, fill=_LINE_COLOR)
            draw.text((spot[0] + margin, spot[1]), outline.name, font=font, fill=_TEXT_COLOR)


def arranged(labels: Sequence[tuple[Area, tuple[int, int]]], bounds: tuple[int, int], kept_free: Area) -> tuple[Area | None, ...]:
    """Return where labels stand, given as the rectangle that each belongs to and its own width and height.

    None stands on another, on `kept_free` or outside a picture of width and height `bounds`; earlier ones choose first. None
    for a label that has no room left.
    """
    taken = [kept_free]
    spots: list[Area | None] = []
    for area, size in labels:
        free = (spot for spot in _candidates(area, size, bounds) if not any(_meet(spot, other) for other in taken))
        spot = next(free, None)
        spots.append(spot)
        if spot is not None:
            taken.append(spot)
    return tuple(spots)


def _candidates(area: Area, size: tuple[int, int], bounds: tuple[int, int]) -> Iterator[Area]:
    """Where a label may stand, best first: on the rectangle's upper or lower edge, outside or inside it."""
    (left, top, right, bottom), (width, height) = area, size
    for y in (top - height, top, bottom - height, bottom):
        for x in (left, right - width):
            within = max(0, min(x, bounds[0] - width))
            if 0 <= y <= bounds[1] - height and width <= bounds[0]:
                yield within, y, within + width, y + height


def _meet(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
