"""Every mode that a file can be decoded to, brought to 8 bits per sample: L, LA, RGB, RGBA, CMYK or LAB."""

import math
from typing import Final

from PIL import Image, TiffImagePlugin

from .wire import Note

_BITS_PER_SAMPLE: Final = 258
_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0

_KEPT: Final = frozenset({"L", "LA", "RGB", "RGBA", "CMYK", "LAB"})
_CONVERTED: Final = {"1": "L", "La": "LA", "PA": "RGBA", "RGBa": "RGBA", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}


def to_8_bit(file: Image.Image, notes: list[Note]) -> Image.Image | None:
    """Return `file`, which is loaded, in one of the modes named above. None for a mode that no format here should give."""
    mode = file.mode
    if mode.startswith("I;16"):
        return _from_16_bits(file, notes)
    if mode in {"I", "F"}:
        return _stretched(file, notes)
    if mode == "P":
        return file.convert("RGBA" if file.has_transparency_data else "RGB")
    if mode in {"1", "L", "RGB"} and "transparency" in file.info:  # one colour that stands for none
        return file.convert("RGBA" if mode == "RGB" else "LA")
    if mode in _KEPT:
        return file
    return file.convert(_CONVERTED[mode]) if mode in _CONVERTED else None


def _from_16_bits(file: Image.Image, notes: list[Note]) -> Image.Image:
    white = (1 << _tag(file, _BITS_PER_SAMPLE, 16)) - 1
    table = [min(255, (sample * 255 + white // 2) // white) for sample in range(1 << 16)]
    if _tag(file, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO:  # which the decoder applies to 8 bits only
        table = [255 - level for level in table]
    notes.append(Note.REDUCED)
    wide = file.convert("I")  # the only mode that a table of this size can be applied to
    grey = wide.point(table, "L")
    transparent = file.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(wide.point([0 if sample == transparent else 255 for sample in range(1 << 16)], "L"))
    return grey


def _stretched(file: Image.Image, notes: list[Note]) -> Image.Image:
    """Grey in which the least sample is black and the greatest white; floating point within 0 to 1 is taken as it is."""
    wide = file.convert("F")
    extrema = wide.getextrema()
    low, high = (float(end) for end in extrema if not isinstance(end, tuple))
    if not (math.isfinite(low) and math.isfinite(high)):
        msg = "samples that are not finite"
        raise ValueError(msg)
    if file.mode == "F" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
        notes.append(Note.REDUCED)
    else:
        notes.append(Note.STRETCHED)
    scale = 255 / (high - low) if high > low else 0.0
    if _tag(file, _PHOTOMETRIC, 1) == _WHITE_IS_ZERO:
        low, scale = high, -scale
    # A half more, since the conversion cuts fractions off.
    return wide.point(lambda sample: sample * scale + (0.5 - low * scale)).convert("L")


def _tag(file: Image.Image, tag: int, default: int) -> int:
    """A number from a TIFF file's directory, the first where there are several."""
    if not isinstance(file, TiffImagePlugin.TiffImageFile):
        return default
    value = file.tag_v2.get(tag, default)
    return int(value[0] if isinstance(value, tuple) else value)
