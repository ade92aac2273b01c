"""A folder of recordings: bounded, and never with half a file in it."""

import errno
import os
import stat
import tempfile
import threading
from pathlib import Path
from typing import Final

from gateway.rest.recorded_reply import RecordingError

MAX_RECORDING_BYTES: Final = 256 << 20
"""Longest file that is written or read."""


class RecordingFolder:
    """Reads and writes files by name, from any thread. What other processes write there is counted at the start only."""

    def __init__(self, path: Path, max_files: int, max_bytes: int) -> None:
        """Count what `path` holds already. Raises `OSError`."""
        self._path = path
        self._max_files = max_files
        self._max_bytes = max_bytes
        with os.scandir(path) as entries:
            lengths = [entry.stat(follow_symlinks=False).st_size for entry in entries]
        self._files = len(lengths)
        self._bytes = sum(lengths)
        self._lock = threading.Lock()

    def read(self, name: str) -> bytes | None:
        """The content of a file; None if there is none. Raises `RecordingError`."""
        try:
            with open(self._path / name, "rb", opener=_opened) as file:  # which Path.open does not take
                data = file.read(MAX_RECORDING_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            msg = f"it cannot be read: {error.strerror}"
            raise RecordingError(msg) from error
        if len(data) > MAX_RECORDING_BYTES:
            msg = f"it is longer than {MAX_RECORDING_BYTES} bytes"
            raise RecordingError(msg)
        return data

    def write(self, name: str, data: bytes) -> None:
        """Write a file, in place of one that is there. Raises `RecordingError`; then nothing has changed."""
        if len(data) > MAX_RECORDING_BYTES:
            msg = f"it would be longer than {MAX_RECORDING_BYTES} bytes"
            raise RecordingError(msg)
        target = self._path / name
        with self._lock:
            try:
                replaced: int | None = target.lstat().st_size
            except OSError:
                replaced = None
            files = self._files + (replaced is None)
            length = self._bytes + len(data) - (replaced or 0)
            if files > self._max_files or length > self._max_bytes:
                msg = f"the folder may hold {self._max_files} files and {self._max_bytes} bytes"
                raise RecordingError(msg)
            try:
                _replace(target, data)
            except OSError as error:
                msg = f"it cannot be written: {error.strerror}"
                raise RecordingError(msg) from error
            self._files, self._bytes = files, length


def _opened(path: str, flags: int) -> int:
    """Open a file, but neither a link out of the folder nor a pipe that nobody writes to."""
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is no regular file")
    return handle


def _replace(target: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
