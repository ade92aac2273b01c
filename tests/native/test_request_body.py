"""The request body, against the standard library."""

import base64
import json
import random
import sys
import threading
from collections.abc import Iterator

import pytest

from gateway import _native


@pytest.mark.parametrize("length", [*range(100), 4095, 4096, 4097, 1_000_000])
def test_the_image_comes_back(length: int) -> None:
    image = random.Random(length).randbytes(length)  # noqa: S311 - not for secrets
    fields = {"language": "en", "threshold": 12.5, "note": 'a "quoted" 词'}
    body = json.loads(_native.request_body(image, json.dumps(fields)))
    assert base64.b64decode(body.pop("image"), validate=True) == image
    assert body == fields
    assert _native.base64_length(length) == len(base64.b64encode(image))


def test_the_body_has_no_spare_bytes() -> None:
    assert _native.request_body(b"hello", "{}") == b'{"image":"aGVsbG8="}'
    assert _native.request_body(b"hello", ' {"a": 1} ') == b'{"image":"aGVsbG8=","a": 1}'


@pytest.mark.parametrize("fields", ["", "[]", "null", "{", '"a":1'])
def test_fields_have_to_be_an_object(fields: str) -> None:
    with pytest.raises(ValueError, match="must be a JSON object"):
        _native.request_body(b"", fields)


@pytest.fixture
def threads_only_switch_when_released() -> Iterator[None]:
    """Keeps the interpreter from taking the GIL away from the thread that holds it."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("threads_only_switch_when_released")
def test_other_threads_run_while_it_encodes() -> None:
    ready, start = threading.Event(), threading.Event()
    progress: list[bool] = []

    def other() -> None:
        ready.set()
        start.wait()
        progress.append(True)

    thread = threading.Thread(target=other)
    thread.start()
    ready.wait()
    image = bytes(4_000_000)
    start.set()
    # Nothing in this loop but request_body lets go of the GIL. One round may be over before the other thread wakes up.
    rounds = 0
    while not progress and rounds < 1000:
        _native.request_body(image, "{}")
        rounds += 1
    ran_meanwhile = bool(progress)
    thread.join()
    assert ran_meanwhile
