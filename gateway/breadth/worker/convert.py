"""A file in, upright 8-bit RGB or RGBA out. Everything that is asked of `PIL`, be it Pillow or Pillow-SIMD."""

import io
import re
import warnings
from importlib import import_module
from typing import Any, Final

import PIL
from PIL import Image, features

from .depth import to_8_bit
from .profile import to_srgb
from .wire import MAX_TOLD, Failure, Format, Note

_PRELOADED: Final = ("copy", *(f"PIL.{name}" for name in ("ExifTags", "MpoImagePlugin", "TiffImagePlugin", "WebPImagePlugin")))
"""What `PIL` imports only once it needs it, when no file can be opened any more."""

_NEEDS: Final = {Format.JPEG: "jpg", Format.PNG: "zlib", Format.WEBP: "webp"}
"""Format → the feature without which it cannot be decoded at all."""

_ORIENTATION: Final = 0x0112
_CAUSE_CHARS: Final = 200

_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what undoes it."""

_WITH_ALPHA: Final = frozenset({"LA", "RGBA"})

Reply = tuple[dict[str, Any], bytes]


class Converter:
    """Decoders for the formats of the list, loaded once."""

    def __init__(self) -> None:
        Image.preinit()
        for module in _PRELOADED:
            import_module(module)
        self.version = PIL.__version__
        self.features = [name for name in ("jpg", "zlib", "libtiff", "webp", "littlecms2") if features.check(name)]
        warnings.simplefilter("ignore")  # truncated metadata and the like: nobody reads this process's standard error
        warnings.simplefilter("error", Image.DecompressionBombWarning)

    def convert(self, data: bytes, kind: Format, max_pixels: int) -> Reply:
        """The header and the pixels of the answer. Raises `MemoryError`."""
        if kind in _NEEDS and _NEEDS[kind] not in self.features:
            return {"failure": Failure.UNSUPPORTED, "cause": f"PIL was built without {_NEEDS[kind]}"}, b""
        Image.MAX_IMAGE_PIXELS = max_pixels  # the plugins themselves check it again where sizes can change later
        try:
            return _convert(data, kind, max_pixels)
        except MemoryError:
            raise
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
            # Raised before anybody could ask for the sides, with the product in the text.
            pixels = re.search(r"\d+", str(bomb))
            return {"failure": Failure.PIXELS, "pixels": min(int(pixels[0]), MAX_TOLD) if pixels else 0}, b""
        except ImportError as error:  # missing in _PRELOADED; no fault of the file's
            return {"failure": Failure.BROKEN, "cause": str(error)}, b""
        except Exception as error:  # damaged files make decoders raise whatever their code happens to
            if "out of memory" in str(error):  # a decoder's own allocation, reported as an OSError
                raise MemoryError from error
            # For the gateway's log only: it may quote the file.
            return {"failure": Failure.DAMAGED, "cause": f"{type(error).__name__}: {error}"[:_CAUSE_CHARS]}, b""


def _convert(data: bytes, kind: Format, max_pixels: int) -> Reply:
    notes: list[Note] = []
    with Image.open(io.BytesIO(data), formats=[kind.upper()]) as file:
        stored_mode = file.mode
        orientation = _orientation(file)
        file.load()
        if file.width * file.height > max_pixels:  # a GIF's first frame may be larger than its header says
            return {"failure": Failure.PIXELS, "pixels": file.width * file.height}, b""
        # Pillow turns TIFF files by itself, others not; what is left to do is what the loaded picture says.
        left = _UPRIGHT.get(_orientation(file))
        eight_bit = to_8_bit(file, notes)
        if eight_bit is None:
            return {"failure": Failure.UNSUPPORTED, "cause": f"mode {stored_mode}"}, b""
        picture = to_srgb(eight_bit, file.info.get("icc_profile"), notes)
        if left is not None:
            picture = picture.transpose(left)
        if orientation in _UPRIGHT:
            notes.append(Note.UPRIGHT)
        if _has_more_frames(file):
            notes.append(Note.FIRST_FRAME)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    header = {
        "width": picture.width,
        "height": picture.height,
        "channels": len(picture.getbands()),
        "orientation": orientation,
        "notes": notes,
    }
    return header, picture.tobytes()


def _orientation(file: Image.Image) -> int:
    """1 to 8; 1 if the file names none, or names one in metadata that are damaged."""
    try:
        orientation = file.getexif().get(_ORIENTATION, 1)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - see above; metadata do not make the pixels useless
        return 1
    return orientation if orientation in _UPRIGHT else 1


def _has_more_frames(file: Image.Image) -> bool:
    try:
        return bool(getattr(file, "is_animated", False))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a damaged second frame does not matter to the first
        return True
