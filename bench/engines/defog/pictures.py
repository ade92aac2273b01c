"""The pictures of docs/engines/defog.md: before and after, side by side."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.engines.defog.haze import hazy
from bench.engines.defog.photographs import photograph
from gateway.engines.defog import defog

FOLDER = Path(__file__).parents[3] / "docs" / "engines"
WIDTH = 300
QUALITY = 82
REAL = (
    "lxqt-themes: fog",
    "plasma-workspace-wallpapers: ColdRipple/contents/images/2560x1600",
    "plasma-workspace-wallpapers: DarkestHour/contents/images/2560x1600",
    "monuments: india/goldenTemple",
    "monuments: wonders/christTheRedeemer",
    "monuments: wonders/machuPicchu",
)
UNSEEN = (
    "lxqt-themes: beam",
    "plasma-workspace-wallpapers: summer_1am/contents/images/2560x1600",
    "lomiri-wallpapers-16.04: Bridge_by_Sander_Klootwijk",
)
"""Those of `photographs.FOGGY_UNSEEN` whose authors and licences allow showing them here."""
CLOSE = {
    "plasma-workspace-wallpapers: ColdRipple/contents/images/2560x1600": (0, 250),
    "monuments: india/goldenTemple": (640, 170),
    "lxqt-themes: fog": (400, 170),
    "monuments: wonders/christTheRedeemer": (330, 60),
}
"""Left and top of parts that outlines and skies are seen in, pixel by pixel."""
CLOSE_HEIGHT = 220
SYNTHETIC = {
    "monuments: wonders/greatWallofChina": "mixture",
    "monuments: france/chateaudeChenonceau": "banks",
    "farm_animals: dog": "linear light",
    "monuments: france/montStMichel": "ramp",
}


def write() -> None:
    """Write all of them."""
    _write("defog-fog.jpg", [_looks(photograph(name)) for name in REAL])
    _write("defog-fog-unseen.jpg", [_looks(photograph(name)) for name in UNSEEN])
    close = []
    for name, (left, top) in CLOSE.items():
        part = np.s_[top : top + CLOSE_HEIGHT, left : left + WIDTH]
        close.append([picture[part] for picture in _looks(photograph(name))])
    _write("defog-fog-close.jpg", close)
    rows = []
    for name, kind in SYNTHETIC.items():
        clear = photograph(name)
        foggy = hazy(clear, kind, name)
        rows.append([foggy, defog(foggy), clear])
    _write("defog-made-haze.jpg", rows)


def _looks(photo: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [photo, defog(photo), defog(photo, natural_look=False)]


def _write(name: str, rows: list[list[NDArray[np.uint8]]]) -> None:
    """One row of pictures over the other, all of one width."""
    lines = []
    for row in rows:
        size = WIDTH, round(row[0].shape[0] * WIDTH / row[0].shape[1])
        lines.append(np.hstack([cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in row]))
    sheet = cv2.cvtColor(np.vstack(lines), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(FOLDER / name), sheet, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
