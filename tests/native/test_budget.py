"""The bound on the memory of all decodes in flight: work waits for its share, and all of it gets done."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from gateway import _native

POLICY = _native.Policy(target_side=100)


@pytest.fixture(autouse=True)
def _same_limit() -> Iterator[None]:
    limit, used = _native.memory()
    assert used == 0
    yield
    _native.set_memory_limit(limit)
    assert _native.memory() == (limit, 0)


@pytest.fixture(scope="module")
def photo(encode: Callable[..., bytes]) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)
    return encode(Image.fromarray(noise), "PNG", compress_level=1)


@pytest.fixture
def sampled() -> Iterator[set[int]]:
    """What is in use, looked at again and again."""
    seen: set[int] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.add(_native.memory()[1])

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    stop.set()
    thread.join()


def test_the_limit_is_what_was_set() -> None:
    for limit in (1, 64 << 20, 1 << 40):
        _native.set_memory_limit(limit)
        assert _native.memory() == (limit, 0)
    with pytest.raises((OverflowError, TypeError)):
        _native.set_memory_limit(-1)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_no_more_is_in_use_than_the_limit_and_everything_is_done(photo: bytes, sampled: set[int], at_once: int) -> None:
    share = _native.plan(photo, POLICY).memory
    _native.set_memory_limit(share * at_once + share // 2)
    results = []
    # A round may be over before anyone looks.
    while sampled <= {0} and len(results) < 400:
        with ThreadPoolExecutor(8) as pool:
            results += pool.map(lambda _: _native.prepare(photo, POLICY), range(40))
    assert {(result.width, result.height) for result in results} == {(100, 75)}
    assert len({result.data for result in results}) == 1
    assert _native.memory()[1] == 0
    assert sampled <= {share * number for number in range(at_once + 1)}
    assert max(sampled) > 0


def test_what_needs_more_than_the_whole_goes_alone(photo: bytes, sampled: set[int]) -> None:
    share = _native.plan(photo, POLICY).memory
    _native.set_memory_limit(1)
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(lambda _: _native.prepare(photo, POLICY), range(12)))) == 12
    assert sampled <= {0, share}


@pytest.mark.parametrize(
    "call",
    [
        lambda photo: _native.prepare(photo, POLICY),
        lambda photo: _native.prepare(photo, _native.Policy(full_decode=True)),
        lambda photo: _native.prepare_pixels(bytes(200 * 100 * 3), 200, 100, POLICY, what="GIF", size=1),
        lambda photo: _native.prepare_array(photo, POLICY),
    ],
    ids=["prepare", "full decode", "pixels", "array"],
)
def test_everything_that_decodes_takes_part(photo: bytes, sampled: set[int], call: Callable[[bytes], object]) -> None:
    rounds = 0
    # One may be over before anyone looks.
    while sampled <= {0} and rounds < 500:
        call(photo)
        rounds += 1
    assert max(sampled) > 0


def test_what_is_passed_on_takes_no_share(photo: bytes, sampled: set[int]) -> None:
    for _ in range(500):
        assert _native.prepare(photo, _native.Policy()).data is None
    assert sampled <= {0}


def test_refusals_give_their_share_back(photo: bytes, encode: Callable[..., bytes]) -> None:
    jpeg = encode(Image.new("RGB", (400, 300)), "JPEG")
    damaged = jpeg[: len(jpeg) // 2] + b"\xff\xd9"
    for _ in range(5):
        with pytest.raises(_native.ImageError):
            _native.prepare(damaged, _native.Policy(full_decode=True))
        with pytest.raises(_native.ImageError):
            _native.prepare(photo, _native.Policy(target_side=100, max_base64=100))
    assert _native.memory()[1] == 0


def test_a_raised_limit_lets_the_waiting_go_on(photo: bytes) -> None:
    _native.set_memory_limit(1)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(_native.prepare, photo, POLICY) for _ in range(8)]
        _native.set_memory_limit(1 << 30)
        assert len({future.result(timeout=10).data for future in futures}) == 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP"])
def test_a_share_covers_the_pixels(encode: Callable[..., bytes], kind: str) -> None:
    data = encode(Image.new("RGB", (640, 480)), kind)
    assert _native.plan(data, POLICY).memory >= 640 * 480 * 3
    # More pixels take more, and what is only looked at is planned as if it were decoded.
    larger = encode(Image.new("RGB", (1280, 480)), kind)
    assert _native.plan(larger, POLICY).memory > _native.plan(data, POLICY).memory
