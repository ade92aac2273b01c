"""OpenCV."""

from functools import partial

import cv2
import numpy as np

from bench.prepare.rows import MAX_BYTES, QUALITY, Row

from . import Work, Works

cv2.setNumThreads(1)

FILTERS = {"AREA": cv2.INTER_AREA, "LANCZOS4": cv2.INTER_LANCZOS4}
_REDUCED = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}


def about() -> str:
    build = cv2.getBuildInformation().splitlines()
    found = [" ".join(line.split()) for line in build if line.strip().startswith(("JPEG:", "PNG:", "WEBP:"))]
    return f"{cv2.__version__} ({', '.join(found)})"


def works(row: Row) -> Works:
    if row.kind == "probe":
        return "it has no way to read headers only"
    if row.kind == "body":
        return "it writes no JSON"
    if row.kind == "strip":
        return {"decode + encode at 95": lambda data: encoded(decode(data), 95)}
    if row.kind == "shrink":
        return {"decode + encode": _shrink}
    found: dict[str, Work] = {f"INTER_{name}": partial(_fit, row.side, 1, it) for name, it in FILTERS.items()}
    if row.is_jpeg:
        for by in (by for by in _REDUCED if 1 < by <= row.reduction):
            for name, it in FILTERS.items():
                found[f"REDUCED_{by} + INTER_{name}"] = partial(_fit, row.side, by, it)
    return found


def decode(data: bytes, by: int = 1) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _REDUCED[by])
    assert pixels is not None
    return pixels


def fit(pixels: np.ndarray, side: int, interpolation: int) -> np.ndarray:
    """Scaled down to `side`; the size is that of the whole picture, rounded to the nearest."""
    height, width = pixels.shape[:2]
    assert max(width, height) >= side, "reduced too far"
    scale = side / max(width, height)
    return cv2.resize(pixels, (round(width * scale), round(height * scale)), interpolation=interpolation)


def encoded(pixels: np.ndarray, quality: int = QUALITY) -> bytes:
    sampling = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420)
    done, out = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, quality, *sampling))
    assert done
    return out.tobytes()


def _fit(side: int, by: int, interpolation: int, data: bytes) -> bytes:
    return encoded(fit(decode(data, by), side, interpolation))


def _shrink(data: bytes) -> bytes:
    pixels = decode(data)
    for quality in range(QUALITY, 50, -10):
        written = encoded(pixels, quality)
        if len(written) <= MAX_BYTES:
            break
    return written
