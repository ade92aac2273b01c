"""Colours into sRGB: by the file's ICC profile where it has a usable one, by the mode's plain conversion otherwise."""

import io
from typing import Final

from PIL import Image, ImageCms, features

from .wire import Note

_SPACES: Final = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
"""Mode → colour space that a profile must be of to apply to it."""

_CAN_CONVERT: Final = features.check("littlecms2")
_SRGB: Final = ImageCms.createProfile("sRGB") if _CAN_CONVERT else None
_LAB: Final = ImageCms.createProfile("LAB") if _CAN_CONVERT else None


def to_srgb(picture: Image.Image, icc: bytes | None, notes: list[Note]) -> Image.Image:
    """Return `picture` (L, LA, RGB, RGBA, CMYK or LAB, 8 bit) as RGB or RGBA in sRGB. Alpha is left as it is."""
    alpha = picture.getchannel("A") if picture.mode in {"LA", "RGBA"} else None
    colour = picture.convert(picture.mode[:-1]) if alpha else picture
    result = _by_profile(colour, icc, notes) if icc else None
    if result is None:
        result = _plainly(colour, notes)
    if alpha:
        result.putalpha(alpha)
    return result


def _plainly(picture: Image.Image, notes: list[Note]) -> Image.Image:
    if picture.mode == "CMYK":
        notes.append(Note.CMYK)
    if picture.mode == "LAB":
        if _LAB is None or _SRGB is None:
            msg = "L*a*b* cannot be converted without LittleCMS"
            raise ValueError(msg)
        converted = ImageCms.profileToProfile(picture, _LAB, _SRGB, outputMode="RGB")
        assert converted is not None  # noqa: S101 - typed so for the form that works in place
        return converted
    return picture.convert("RGB")


def _by_profile(picture: Image.Image, icc: bytes, notes: list[Note]) -> Image.Image | None:
    if _SRGB is None:
        notes.append(Note.PROFILE_IGNORED)
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if profile.profile.xcolor_space.strip() != _SPACES[picture.mode]:
            notes.append(Note.PROFILE_IGNORED)
            return None
        if (profile.profile.profile_description or "").startswith("sRGB"):
            return picture.convert("RGB")
        converted = ImageCms.profileToProfile(
            picture,
            profile,
            _SRGB,
            renderingIntent=ImageCms.Intent(ImageCms.getDefaultIntent(profile)),
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        notes.append(Note.PROFILE_IGNORED)
        return None
    notes.append(Note.PROFILE)
    return converted
