"""The pictures of the documentation: some of the photographs with their tags and boxes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from gateway.media import Tag, TaggingParameters

FOLDER = Path(__file__).parents[3] / "docs" / "engines"
SHOWN: Final = {
    "tagging-things.jpg": ("giraffe.webp", "meerkats.webp", "donna_2.jpg", "apple-orchard-truck-tone-mapped-with-Exposur.jpg"),
    "tagging-scenes.jpg": ("machuPicchu.webp", "cincinnati-bridge.jpg", "sunset_by_Aitzol_Berasategi.jpg", "LadyBird.jpg"),
    "tagging-hard.jpg": ("dam1.webp", "coins.png", "Picture_0B_by_freespace.jpg", "buffetset.webp"),
}
"""Chosen by what they show; the last row is of what the engine finds hard."""

_WIDTH, _HEIGHT, _LINE = 420, 300, 17
_THRESHOLD = TaggingParameters().threshold

Pixels = npt.NDArray[np.uint8]


@dataclass
class Gallery:
    """Keeps those that are to be shown until all are there."""

    drawn: dict[str, Pixels] = field(default_factory=dict)

    def offer(self, name: str, pixels: Pixels, tags: Sequence[Tag]) -> None:
        if any(name in names for names in SHOWN.values()) and name not in self.drawn:
            self.drawn[name] = _panel(pixels, tags)

    def write(self) -> None:
        """Write those of which all photographs were offered."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        for file, names in SHOWN.items():
            row = np.hstack([self.drawn[name] for name in names])
            row = row[: np.flatnonzero((row < 255).any(axis=(1, 2)))[-1] + _LINE // 2]
            cv2.imwrite(str(FOLDER / file), cv2.cvtColor(row, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])


def _panel(pixels: Pixels, tags: Sequence[Tag]) -> Pixels:
    """The picture with the places of the narrowest tags, and all tags from the default threshold on below it."""
    scale = min(_WIDTH / pixels.shape[1], _HEIGHT / pixels.shape[0])
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    said = [tag for tag in tags if tag.confidence >= _THRESHOLD]
    boxes: set[tuple[int, ...]] = set()
    for tag in reversed(said):
        for place in tag.instances:
            box = place.box
            corners = tuple(round(scale * v) for v in (box.left, box.top, box.left + box.width, box.top + box.height))
            if place.confidence >= _THRESHOLD and corners not in boxes:
                boxes.add(corners)
                cv2.rectangle(small, corners[:2], corners[2:], (255, 200, 0), 2)
    panel = np.full((_HEIGHT + 6 * _LINE, _WIDTH, 3), 255, dtype=np.uint8)
    panel[: small.shape[0], : small.shape[1]] = small
    words = [f"{tag.localized_name.en} {tag.confidence:.0f}" for tag in said] or ["(no tag)"]
    for line, start in enumerate(range(0, min(len(words), 15), 3)):
        text = ", ".join(words[start : start + 3])
        place = (4, small.shape[0] + (line + 1) * _LINE)
        cv2.putText(panel, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return panel
