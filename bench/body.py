"""The native core beside its peers, in one run: checking a picture, and building the JSON request body.

Each row takes turns between the peers and keeps every peer's best CPU time, which on a shared machine is steadier than
wall time. Usage: make bench
"""

import base64
import io
import json
import time
from collections.abc import Callable

import orjson
import pybase64
from PIL import Image

from gateway import _native

ROUNDS = 25
FIELDS = {"language": "zh", "threshold": 60.0, "limit": 50}
FIELDS_JSON = json.dumps(FIELDS)

Peers = dict[str, Callable[[], object]]


def noise_jpeg(size: int) -> bytes:
    """A JPEG of about `size` bytes."""
    side = int((size / 0.72) ** 0.5)
    picture = Image.effect_noise((side, side), 60).convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def body_peers(image: bytes) -> Peers:
    def standard() -> bytes:
        return json.dumps({"image": base64.b64encode(image).decode(), **FIELDS}).encode()

    def fast_libraries() -> bytes:
        return orjson.dumps({"image": pybase64.b64encode_as_string(image), **FIELDS})

    def native() -> bytes:
        return _native.request_body(image, FIELDS_JSON)

    assert json.loads(standard()) == json.loads(fast_libraries()) == json.loads(native())
    return {"native core": native, "pybase64 + orjson": fast_libraries, "standard library": standard}


def check_peers(image: bytes) -> Peers:
    def pillow() -> object:
        with Image.open(io.BytesIO(image)) as opened:
            return opened.format, opened.size, opened.getexif().get(274, 1)

    return {"native core": lambda: _native.validate(image), "Pillow (headers only)": pillow}


def measure(peers: Peers) -> dict[str, float]:
    """Best CPU seconds of each peer."""
    best = dict.fromkeys(peers, float("inf"))
    for _ in range(ROUNDS):
        for name, work in peers.items():
            started = time.process_time()
            work()
            best[name] = min(best[name], time.process_time() - started)
    return best


def report(row: str, peers: Peers) -> None:
    best = measure(peers)
    own = best["native core"]
    print(row)
    for name, seconds in best.items():
        print(f"  {name:<24}{seconds * 1e3:>10.3f} ms{seconds / own:>9.1f}×")


def main() -> None:
    for size in (2_000_000, 7_500_000):
        image = noise_jpeg(size)
        shown = f"{len(image) / 1e6:.1f} MB JPEG"
        report(f"request body, {shown}", body_peers(image))
        report(f"check, {shown}", check_peers(image))


if __name__ == "__main__":
    main()
