"""Pictures for the documentation: before and after, side by side."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.engines.dark_enhance.darkening import Camera
from bench.engines.dark_enhance.photographs import DARK, MEASURED_ON, load
from gateway.engines.dark_enhance import enhance_dark

FOLDER = Path(__file__).parents[3] / "docs" / "engines"
WIDTH = 640
QUALITY = 82

SHOWN = ("LadyBird", "EveningGlow", "ColorfulCups")
"""Of those measured on."""


def write() -> list[str]:
    """Write `docs/engines/dark_enhance-*.jpg`; the Markdown that shows them from bench/results/engines/."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    shown = []
    for name in DARK:
        title, photograph = name.split(": ")[1], load(name, 1600)
        said = f"{title}, a photograph that is dark itself: before, after"
        shown.append(_written(title, said, photograph, enhance_dark(photograph)))
    for number, name in enumerate(MEASURED_ON):
        title = name.split(": ")[1]
        if title in SHOWN:
            truth, random = load(name, 1280), np.random.default_rng([number, 0])
            camera = Camera.drawn(random)
            dark = camera.take(truth, random)
            said = f"{title}, darkened to 1/{1 / camera.exposure:.0f}: before, after, and the photograph that it was"
            shown.append(_written(f"{title}-darkened", said, dark, enhance_dark(dark), truth))
    return shown


def _written(name: str, said: str, *pictures: NDArray[np.uint8]) -> str:
    width = WIDTH if len(pictures) == 2 else WIDTH * 2 // 3
    height = pictures[0].shape[0] * width // pictures[0].shape[1]
    small = [cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA) for picture in pictures]
    file = FOLDER / f"dark_enhance-{name}.jpg"
    cv2.imwrite(str(file), np.hstack(small)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"{said}:\n\n![{said}](../../../docs/engines/{file.name})"
