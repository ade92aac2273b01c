"""Crops side by side for the documentation: bicubic, a model, the original."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from bench.engines.super_resolution.quality import OPENCV, Pixels, enlarged
from gateway.engines.super_resolution import SuperResolution
from tools.train_super_resolution.photographs import Photograph, cropped, reduced

FOLDER = Path(__file__).parents[3] / "docs" / "engines"
SIDE = 132
"""Of the crops, in pixels of the original; they are shown twice as large."""
CAPTION = 22


def write_picture(file: str, crops: list[tuple[Photograph, int, int]], scale: int, engine: SuperResolution, model: str) -> None:
    """Write `docs/engines/<file>`: a row for each (photograph, top, left)."""
    rows = []
    for photograph, top, left in crops:
        original = cropped(photograph.pixels, scale)
        ways = enlarged(reduced(original, scale), scale, engine, (model,))
        shown = {"bicubic": ways[OPENCV], model: ways[model], "original": original}
        rows.append([_panel(pixels[top : top + SIDE, left : left + SIDE], name) for name, pixels in shown.items()])
    sheet = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    FOLDER.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(FOLDER / file, quality=88, subsampling=0, optimize=True)


def _panel(crop: Pixels, name: str) -> Pixels:
    large = Image.fromarray(crop).resize((2 * SIDE, 2 * SIDE), Image.Resampling.NEAREST)
    panel = Image.new("RGB", (2 * SIDE + 4, 2 * SIDE + CAPTION), "white")
    panel.paste(large, (2, CAPTION))
    ImageDraw.Draw(panel).text((4, 3), name, fill="black", font_size=13)
    return np.asarray(panel)
