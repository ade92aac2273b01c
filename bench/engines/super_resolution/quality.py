"""How close the enlargement of a photograph that was made smaller comes to the photograph."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.engines.quality import PEAK, luma, ssim
from gateway.engines.super_resolution import SuperResolution
from tools.train_super_resolution.photographs import Photograph, cropped, reduced, through_jpeg

OPENCV, PILLOW = "bicubic, a = -0.75 (OpenCV)", "bicubic, a = -0.5 (Pillow)"
JPEG_QUALITY = 90

Pixels = NDArray[np.uint8]


class Score(NamedTuple):
    """Of luma, without a rim as wide as the scale. `psnr` in dB."""

    psnr: float
    ssim: float


class Comparison(NamedTuple):
    """One photograph and the ways to enlarge it: two kinds of bicubic, and the models."""

    name: str
    scores: dict[str, Score]
    from_jpeg: dict[str, float]
    """PSNR of each way, dB, where the small picture went through JPEG."""

    def gain(self, model: str, *, jpeg: bool = False) -> float:
        """PSNR over the better of the two bicubics, dB."""
        psnr = self.from_jpeg if jpeg else {way: score.psnr for way, score in self.scores.items()}
        return psnr[model] - max(psnr[OPENCV], psnr[PILLOW])


def compare(photograph: Photograph, scale: int, engine: SuperResolution, models: tuple[str, ...]) -> Comparison:
    """Make the photograph smaller by `scale`, enlarge it again and score that."""
    original = cropped(photograph.pixels, scale)
    small = reduced(original, scale)
    scores, from_jpeg = (
        {way: _score(large, original, scale) for way, large in enlarged(given, scale, engine, models).items()}
        for given in (small, through_jpeg(small, JPEG_QUALITY))
    )
    return Comparison(photograph.name, scores, {way: score.psnr for way, score in from_jpeg.items()})


def enlarged(small: Pixels, scale: int, engine: SuperResolution, models: tuple[str, ...]) -> dict[str, Pixels]:
    """Enlarge by the two customary kinds of bicubic interpolation and by the models."""
    size = small.shape[1] * scale, small.shape[0] * scale
    return {
        OPENCV: np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8),
        PILLOW: np.asarray(Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)),
        **{model: engine.upscale(small, scale=scale, model=model) for model in models},
    }


def _score(got: Pixels, original: Pixels, rim: int) -> Score:
    got, original = (np.ascontiguousarray(pixels[rim:-rim, rim:-rim]) for pixels in (got, original))
    error = float(np.mean(np.square(luma(got) - luma(original)), dtype=np.float64))
    return Score(10 * float(np.log10(PEAK**2 / error)), ssim(got, original))
