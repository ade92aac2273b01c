import ctypes

import pytest

from gateway.cli import allocator


class Library:
    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        self.calls.append((parameter, value))
        return 1


def test_large_buffers_are_kept(monkeypatch) -> None:
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    allocator.keep_large_buffers()
    # <malloc.h>: M_MMAP_THRESHOLD is -3, M_TRIM_THRESHOLD -1, M_TOP_PAD -2.
    assert library.calls == [(-3, 32 << 20), (-1, 1 << 30), (-2, 64 << 20)]


@pytest.mark.parametrize("error", [OSError("no such library"), AttributeError("mallopt")])
def test_without_glibc_nothing_happens(monkeypatch, error) -> None:
    def missing(_: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", missing)
    allocator.keep_large_buffers()
