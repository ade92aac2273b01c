"""How good our pictures are over many sizes, beside an exact decode and resize by Pillow: photographs × reductions by the
decoder × what is left to scale, sizes that are odd included. Speed has no part in it.
"""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from gateway import _native

from . import reference
from .environments import cache
from .inputs import CAMERA_QUALITY
from .measure import QUALITY_BOUND
from .rows import QUALITY

# What is left to scale where a JPEG was reduced by its decoder as far as it is; smaller ones are not reduced.
_LEFT = (1.3, 1.88, 1.95, 2.5)
_REDUCTIONS = (1, 2, 4, 8)
_LEAST_SIDE = 150


@dataclass(frozen=True)
class Loss:
    """By how many dB our picture is worse than Pillow's (below 0: better)."""

    photograph: str
    before: tuple[int, int]
    after: tuple[int, int]
    ours: float
    pillow: float

    @property
    def loss(self) -> float:
        return self.pillow - self.ours


def losses(photographs: list[Path]) -> list[Loss]:
    """Each photograph at each size, the worst first. One row and column are cut off, so that no side is a multiple of 8."""
    found = []
    for index, path in enumerate(photographs):
        with Image.open(path) as opened:
            image = opened.convert("RGB").crop((0, 0, opened.width // 8 * 8 - 7, opened.height // 8 * 8 - 3))
        file = cache("sizes") / f"{index}.jpg"
        image.save(file, "JPEG", quality=CAMERA_QUALITY, subsampling=2)
        sides = {int(max(image.size) / by / left) for by in _REDUCTIONS for left in _LEFT}
        found += [_loss(path, file, image.size, side + odd) for side in sides if side >= _LEAST_SIDE for odd in (0, 1)]
    return sorted(found, key=lambda each: -each.loss)


def text(found: list[Loss]) -> str:
    """The worst few, and how many are past the bound."""
    past = sum(each.loss > QUALITY_BOUND for each in found)
    met = "**target not met**" if past else "target met"
    mean = sum(each.loss for each in found) / len(found)
    lines = [
        f"{met}: {past} of {len(found)} pictures are more than {QUALITY_BOUND} dB below Pillow's; the mean is {mean:.2f} dB.",
        "| | from | to | ours, dB | Pillow, dB | loss |\n| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    rows = [
        f"| {each.photograph} | {each.before[0]} × {each.before[1]} | {each.after[0]} × {each.after[1]} "
        f"| {each.ours:.2f} | {each.pillow:.2f} | {each.loss:.2f} |"
        for each in found[:6]
    ]
    return "\n\n".join([lines[0], "\n".join([lines[1], *rows])])


def _loss(path: Path, file: Path, before: tuple[int, int], side: int) -> Loss:
    data = file.read_bytes()
    exact = reference.scaled(file, side)
    ours = _native.prepare(data, _native.Policy(target_side=side, quality=QUALITY)).data
    assert ours is not None
    after = exact.shape[1], exact.shape[0]
    with Image.open(file) as image:
        out = io.BytesIO()
        image.resize(after, Image.Resampling.LANCZOS).save(out, "JPEG", quality=QUALITY, subsampling=2)
    name = path.parts[-4] if path.parts[-2] == "images" else path.stem
    return Loss(name, before, after, reference.psnr(exact, ours), reference.psnr(exact, out.getvalue()))
