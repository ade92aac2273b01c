"""Pictures that every room's tests use."""

import ctypes
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from gateway.prepare import Preparer
from gateway.prepare.settings import PrepareSettings

SLOW = ("breadth", "contract", "deploy", "e2e")
"""Folders of which every test is slow."""

PHOTOS = Path(__file__).parents[1] / "examples" / "photos"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_kept() -> Iterator[None]:
    """Commands that tests run in this process do not have it keep what it has freed: of all tests together that is gigabytes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("gateway.cli.main.keep_large_buffers", lambda: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def memory_goes_back() -> Iterator[None]:
    """What glibc keeps of the work of a module is of no use to the next one: hundreds of megabytes, in arenas of threads."""
    yield
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photographs."""
    return PHOTOS


@pytest.fixture(scope="session")
def dog() -> bytes:
    """A JPEG photograph of a German shepherd, 800 × 600."""
    return (PHOTOS / "dog.jpg").read_bytes()


@pytest.fixture(scope="session")
def bad_pictures(dog: bytes) -> dict[str, tuple[bytes, str]]:
    """Files that must each be refused, with the reason: those that the service's users send most."""
    return {
        "truncated.jpg": (dog[: len(dog) // 2], "IMAGE_DAMAGED"),
        "animation.gif": (_encoded(Image.new("RGB", (64, 64)), "GIF"), "IMAGE_FORMAT_UNSUPPORTED"),
        "tiny.png": (_encoded(Image.new("RGB", (14, 14)), "PNG"), "IMAGE_DIMENSIONS_OUT_OF_RANGE"),
        "thin.png": (_encoded(Image.new("RGB", (8000, 20)), "PNG"), "IMAGE_DIMENSIONS_OUT_OF_RANGE"),
        "empty.jpg": (b"", "IMAGE_EMPTY"),
    }


@pytest.fixture(scope="session")
def oversized_pictures() -> dict[str, tuple[bytes, str]]:
    """Files over the contract's limits, with the reason of that: preparation makes them fit, the contract refuses them."""
    noise = Image.effect_noise((1800, 1800), 90).convert("RGB")
    return {
        "huge.jpg": (_encoded(Image.new("RGB", (5000, 3000)), "JPEG"), "IMAGE_DIMENSIONS_OUT_OF_RANGE"),
        "nine-megabytes.bmp": (_encoded(noise, "BMP"), "IMAGE_TOO_LARGE"),
    }


@pytest.fixture
def preparer() -> Iterator[Preparer]:
    """Preparation with its default settings."""
    with Preparer(PrepareSettings()) as preparer:
        yield preparer


def _encoded(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()
