"""Keeping large buffers: the C library's allocator, set up for a process that handles pictures all its life."""

import ctypes
from typing import Final

_M_TRIM_THRESHOLD: Final = -1
_M_TOP_PAD: Final = -2
_M_MMAP_THRESHOLD: Final = -3


def keep_large_buffers() -> None:
    """Have freed memory kept for the next picture, where the C library is glibc; otherwise do nothing.

    By default glibc gives buffers from 128 KiB on back to the kernel, which then hands them out anew page by page, each
    cleared: a fifth of the time that fitting a large photograph takes (`make bench-prepare`). What is kept in turn is,
    for each of the allocator's arenas, of which threads have their own, at most what was in use in it at once and the 64 MiB
    added on top; so all arenas together may keep more than was ever in use at once.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, 32 << 20)  # the greatest value that glibc takes
    mallopt(_M_TRIM_THRESHOLD, 1 << 30)
    mallopt(_M_TOP_PAD, 64 << 20)
