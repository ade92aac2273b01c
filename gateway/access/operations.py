"""What tenants may be allowed, by the names that `GetInfo` and the tenants file use."""

from enum import StrEnum


class Operation(StrEnum):
    """A kind of work on pictures or recordings."""

    TAGGING = "tagging"
    DARK_ENHANCE = "dark_enhance"
    DEFOG = "defog"
    SUPER_RESOLUTION = "super_resolution"
    BACKGROUND_MUSIC = "background_music"
    PREPROCESS = "preprocess"
    """Inspecting and preparing pictures, which costs nothing but this machine's time."""
