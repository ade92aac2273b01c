"""Pillow, and Pillow-SIMD, which is the same to its callers."""

import base64
import importlib.util
import io
import json
from functools import partial

import PIL
from PIL import Image, features

from bench.prepare.rows import FIELDS, MAX_BYTES, QUALITY, Row

from . import Work, Works

_ORIENTATION = 0x0112


def about() -> str:
    libraries = ", ".join(f"{name} {features.version(name)}" for name in ("libjpeg_turbo", "zlib", "webp"))
    return f"{PIL.__version__} ({libraries})"


def works(row: Row) -> Works:
    if row.kind == "probe":
        return {"open + getexif": _probe}
    if row.kind == "body":
        return _bodies()
    if row.kind == "fit":
        return _fits(row)
    if row.kind == "shrink":
        return {"decode + encode": _shrink}
    return _strips()


def _probe(data: bytes) -> tuple[str | None, tuple[int, int], int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.format, image.size, image.getexif().get(_ORIENTATION, 1)


def _bodies() -> Works:
    def standard(data: bytes) -> bytes:
        _probe(data)
        return json.dumps({"image": base64.b64encode(data).decode(), **FIELDS}).encode()

    found: dict[str, Work] = {"open + base64 + json": standard}
    if importlib.util.find_spec("orjson") and importlib.util.find_spec("pybase64"):
        import orjson  # noqa: PLC0415 - only one of the two environments has them
        import pybase64  # noqa: PLC0415

        def fast(data: bytes) -> bytes:
            _probe(data)
            return orjson.dumps({"image": pybase64.b64encode_as_string(data), **FIELDS})

        found["open + pybase64 + orjson"] = fast
    return found


def _fits(row: Row) -> Works:
    found: dict[str, Work] = {"LANCZOS": partial(_fit, row.side, "RGB"), "thumbnail": partial(_thumbnail, row.side)}
    if row.reduction > 1:
        # Averages by 2 × 2 first.
        found["reducing_gap 1.9"] = partial(_fit, row.side, "RGB", gap=1.9)
    if row.is_jpeg:
        found["YCbCr"] = partial(_fit, row.side, "YCbCr")
        if row.reduction > 1:
            found["draft"] = partial(_fit, row.side, "RGB", draft=True)
            found["draft YCbCr"] = partial(_fit, row.side, "YCbCr", draft=True)
    return found


def _fit(side: int, mode: str, data: bytes, *, draft: bool = False, gap: float | None = None) -> bytes:
    """`draft`: a JPEG is decoded at the least size that is not less than what is wanted."""
    with Image.open(io.BytesIO(data)) as image:
        scale = side / max(image.size)
        size = round(image.width * scale), round(image.height * scale)
        # With a size that is the image's own, `draft` only chooses the colours.
        image.draft(mode, size if draft else image.size)
        pixels = image if image.mode == mode else image.convert(mode)
        return _encoded(pixels.resize(size, Image.Resampling.LANCZOS, reducing_gap=gap))


def _thumbnail(side: int, data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        return _encoded(image)


def _shrink(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        for quality in range(QUALITY, 50, -10):
            written = _encoded(image, quality)
            if len(written) <= MAX_BYTES:
                break
    return written


def _strips() -> Works:
    def again(data: bytes) -> bytes:
        with Image.open(io.BytesIO(data)) as image:
            return _encoded(image, 95)

    found: dict[str, Work] = {"decode + encode at 95": again}
    if importlib.util.find_spec("piexif"):
        import piexif  # noqa: PLC0415 - only one of the two environments has it

        def without_exif(data: bytes) -> bytes:
            out = io.BytesIO()
            piexif.remove(data, out)
            return out.getvalue()

        found["piexif.remove (pure Python)"] = without_exif
    return found


def _encoded(image: Image.Image, quality: int = QUALITY) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling="4:2:0", exif=b"")
    return out.getvalue()
