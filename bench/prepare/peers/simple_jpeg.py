"""simplejpeg (libjpeg-turbo) to decode and encode, OpenCV to scale, and to decode what is not JPEG."""

from functools import partial

import cv2
import simplejpeg

from bench.prepare.rows import MAX_BYTES, QUALITY, Row

from . import Work, Works, opencv


def about() -> str:
    return f"{simplejpeg.__version__}, OpenCV {cv2.__version__}"


def works(row: Row) -> Works:
    if row.kind == "probe":
        return {"decode_jpeg_header (JPEG only, no orientation)": simplejpeg.decode_jpeg_header}
    if row.kind == "body":
        return "it writes no JSON"
    if row.kind == "strip":
        return {"decode + encode at 95": lambda data: _encoded(simplejpeg.decode_jpeg(data), 95)}
    if row.kind == "shrink":
        return {"decode + encode": _shrink}
    filters = opencv.FILTERS.items()
    if not row.is_jpeg:
        return {f"INTER_{name}": partial(_fit_other, row.side, it) for name, it in filters}
    found: dict[str, Work] = {}
    factors = {0: "", 2: "min 2× + ", 1: "min 1× + "} if row.reduction > 1 else {0: "", 1: "min 1× + "}
    for factor, said in factors.items():
        for name, it in filters:
            found[f"{said}INTER_{name}"] = partial(_fit, row.side, factor, it)
    return found


def _fit(side: int, factor: int, interpolation: int, data: bytes) -> bytes:
    """`factor`: how many times the size wanted the picture is decoded at, or more; 0 for the whole."""
    height, width, *_ = simplejpeg.decode_jpeg_header(data)
    scale = side / max(width, height) * factor
    least = {"min_width": round(width * scale), "min_height": round(height * scale)} if 0 < scale < 1 else {}
    return _encoded(opencv.fit(simplejpeg.decode_jpeg(data, **least), side, interpolation))


def _fit_other(side: int, interpolation: int, data: bytes) -> bytes:
    return _encoded(opencv.fit(opencv.decode(data), side, interpolation), colors="BGR")


def _shrink(data: bytes) -> bytes:
    pixels = simplejpeg.decode_jpeg(data)
    for quality in range(QUALITY, 50, -10):
        written = _encoded(pixels, quality)
        if len(written) <= MAX_BYTES:
            break
    return written


def _encoded(pixels: object, quality: int = QUALITY, colors: str = "RGB") -> bytes:
    return simplejpeg.encode_jpeg(pixels, quality=quality, colorspace=colors, colorsubsampling="420")
