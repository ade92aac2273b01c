"""libvips, by pyvips. Its threads per picture are set by VIPS_CONCURRENCY, before it starts."""

from functools import partial

import pyvips

from bench.prepare.rows import MAX_BYTES, QUALITY, Row

from . import Work, Works

pyvips.cache_set_max(0)


def about() -> str:
    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    return f"{pyvips.__version__} (libvips {libvips}, {'API' if pyvips.API_mode else 'ABI'} mode)"


def works(row: Row) -> Works:
    if row.kind == "probe":
        return {"new_from_buffer": _probe}
    if row.kind == "body":
        return "it writes no JSON"
    if row.kind == "strip":
        return {"decode + encode at 95": partial(_again, 95)}
    if row.kind == "shrink":
        return {"decode + encode": _shrink}
    found: dict[str, Work] = {"thumbnail": partial(_thumbnail, row.side), "resize": partial(_resize, row.side, 1)}
    if row.is_jpeg and row.reduction > 1:
        found["shrink on load + resize"] = partial(_resize, row.side, row.reduction)
    return found


def _probe(data: bytes) -> tuple[str, int, int, int]:
    image = pyvips.Image.new_from_buffer(data, "")
    orientation = image.get("orientation") if image.get_typeof("orientation") else 1
    return image.get("vips-loader"), image.width, image.height, orientation


def _size(image: pyvips.Image, side: int) -> tuple[int, int]:
    scale = side / max(image.width, image.height)
    return round(image.width * scale), round(image.height * scale)


def _thumbnail(side: int, data: bytes) -> bytes:
    # Forced, so that both sides are scaled to whole pixels, as others do: the same scale for both would be a shifted picture.
    width, height = _size(pyvips.Image.new_from_buffer(data, ""), side)
    return _encoded(pyvips.Image.thumbnail_buffer(data, width, height=height, size="force"))


def _resize(side: int, shrink: int, data: bytes) -> bytes:
    """`shrink`: how far a JPEG is reduced by its decoder."""
    options = {"shrink": shrink} if shrink > 1 else {}
    image = pyvips.Image.new_from_buffer(data, "", access="sequential", **options)
    width, height = _size(image, side)
    return _encoded(image.resize(width / image.width, vscale=height / image.height, kernel="lanczos3"))


def _again(quality: int, data: bytes) -> bytes:
    return _encoded(pyvips.Image.new_from_buffer(data, "", access="sequential"), quality)


def _shrink(data: bytes) -> bytes:
    for quality in range(QUALITY, 50, -10):
        written = _again(quality, data)
        if len(written) <= MAX_BYTES:
            break
    return written


def _encoded(image: pyvips.Image, quality: int = QUALITY) -> bytes:
    return image.jpegsave_buffer(Q=quality, subsample_mode="on", keep="none")
