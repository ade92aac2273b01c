"""Prepared pictures written into a folder, without ever touching a file that is there."""

import itertools
import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from gateway.cli.sources import is_uri
from gateway.media import PreparedImage

_SUFFIXES: Final = {"jpeg": ".jpg"}
_NAME_BYTES: Final = 200
"""File systems take names of 255 bytes; a number and a suffix are added."""


class OutputFolder:
    """Writes files under the names of the pictures that they were made from."""

    def __init__(self, folder: Path) -> None:
        """Make the folder. Raises `OSError` if it cannot be had."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def save(self, item_id: str, image: PreparedImage) -> Path:
        """Write the file to send and return its path: `name.ext`, or `name-2.ext` … if that exists. Raises `OSError`."""
        kind = (image.sent or image.facts).format
        stem, suffix = _stem(item_id), _SUFFIXES.get(kind, f".{kind}")
        for number in itertools.count(1):
            path = self._folder / f"{stem}{f'-{number}' if number > 1 else ''}{suffix}"
            try:
                file = path.open("xb")  # inputs may lie in the same folder, and links lead anywhere
            except FileExistsError:
                continue
            with file:
                file.write(image.data)
            return path
        raise AssertionError  # there is no end of numbers


def _stem(item_id: str) -> str:
    """A name without suffix: the file's own, which this file system takes; of a URL only what every one takes."""
    name = Path(item_id).name
    if is_uri(item_id):
        name = re.sub(r"[^\w.-]+", "_", unquote(urlsplit(item_id).path).rpartition("/")[2]).strip("._-")
    return os.fsdecode(os.fsencode(Path(name).stem)[:_NAME_BYTES]) or "picture"
