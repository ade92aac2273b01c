"""Many streams whose cloud is the REST face: is every item answered once, and does the face count none twice?

The face computes each photograph once, by the engines, and answers the same picture from its recording after that: a hundred
thousand taggings are hours of CPU. The gateway remembers nothing here, so it asks the face for every item. The face lets no more
calls succeed in a month than its user's quota says, which is how it is known what it counted.
"""

import asyncio
import os
import random
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import cv2
import grpc
import numpy as np
from grpc import aio

from bench.soak.checks import none
from gateway.errors import Reason
from gateway.imagerecognition.v1 import tagging_pb2 as pb
from gateway.imagerecognition.v1 import tagging_pb2_grpc as pb_grpc

from .account import answered_once
from .bulk import NICE, WINDOW, Bulk
from .exchange import MISTAKEN, exchanged, reason_of, stubs
from .pictures import DAMAGES, Item
from .prober import probed
from .process import running_face, running_gateway
from .section import Section, all_of, prompt

_PHOTOS: Final = Path(__file__).parents[2] / "examples" / "photos"
_SIDE: Final = 192
"""Pixels of the longer side: small files, of which the engines still know what they show."""

_AT_ONCE: Final = 32
_SPARE: Final = 2 * _AT_ONCE
"""Calls that the quota allows beyond those that must succeed: those under way count until they have failed."""

_USER: Final = {"USER": "ada", "DOMAIN": "acme", "PASSWORD": "only-for-this-bench"}
_ACCOUNTS: Final = """
[[domains]]
name = "{DOMAIN}"
[[domains.projects]]
name = "cn-east-3"
[[domains.users]]
name = "{USER}"
password = "{PASSWORD}"
[domains.users.quota]
calls_per_month = {quota}
"""


class _Album:
    """The photographs, and what the face says of each."""

    def __init__(self, photos: Sequence[bytes]) -> None:
        self.photos = photos
        self._tags: dict[int, list[tuple[str, float]]] = {}
        self.request_ids: list[str] = []
        """The face's, of all answers."""

    def learn(self, result: pb.StreamTagImagesResult) -> Reason | str | None:
        """Take what is said of a photograph that was sent under its number for the truth."""
        self._tags[int(result.item_id)] = _tags(result.response)
        return self._outcome(result, int(result.item_id))

    def judge(self, result: pb.StreamTagImagesResult) -> Reason | str | None:
        """Why an item was refused; None if it has the tags of its own photograph."""
        return self._outcome(result, int(result.item_id.rpartition("-")[2]) % len(self.photos))

    @property
    def distinct(self) -> int:
        """How many photographs can be told by their tags."""
        return len({tuple(tags) for tags in self._tags.values() if tags})

    def _outcome(self, result: pb.StreamTagImagesResult, number: int) -> Reason | str | None:
        if result.HasField("error"):
            return reason_of(result.error)
        self.request_ids += result.response.processing.upstream_request_ids
        return None if _tags(result.response) == self._tags[number] else MISTAKEN


async def face(plan: Bulk) -> Section:
    """Run all streams at once, health being asked all the while."""
    album = _Album(photographs())
    wanted = [{item.name: item.wanted for item in _items(plan, number, album.photos)} for number in range(plan.streams)]
    good = sum(reason is None for stream in wanted for reason in stream.values()) + len(album.photos)
    limits = {"LIMIT_CONCURRENCY": _AT_ONCE, "LIMIT_QUEUE_LENGTH": plan.streams * WINDOW, "LIMIT_QUEUE_TIME": 600}
    own = {f"CLOUD_{name}": value for name, value in _USER.items()}
    with tempfile.TemporaryDirectory() as folder:
        accounts = Path(folder) / "accounts.toml"
        accounts.write_text(_ACCOUNTS.format(**_USER, quota=good + _SPARE), encoding="utf-8")
        of_face = {"REST_ACCOUNTS_FILE": accounts, "RECORD_MODE": "replay-or-record", "RECORD_FOLDER": Path(folder) / "recorded"}
        async with (
            running_face(of_face) as cloud,
            running_gateway(
                f"http://{cloud.address}", {"RPC_STREAM_WINDOW": WINDOW, "CACHE_ENABLED": False, **limits, **own}
            ) as gateway,
            stubs(gateway.address, plan.connections) as open_stubs,
        ):
            shown = [Item(str(number), photo, None) for number, photo in enumerate(album.photos)]
            learnt = await exchanged(open_stubs[0], shown, album.learn)
            async with probed(gateway.address) as health:
                if plan.gives_way:
                    for process in (cloud.pid, os.getpid()):
                        os.setpriority(os.PRIO_PROCESS, process, NICE)
                started_at = time.perf_counter()
                told = await asyncio.gather(
                    *(
                        exchanged(open_stubs[number % plan.connections], _items(plan, number, album.photos), album.judge)
                        for number in range(plan.streams)
                    )
                )
                seconds = time.perf_counter() - started_at
            left = await _allowed(open_stubs[0], album.photos[0], 2 * _SPARE)
            tracebacks = gateway.tracebacks + cloud.tracebacks
    count = plan.streams * plan.items
    checks = [
        all_of("photographs that the engines tell apart", album.distinct, len(learnt.outcomes)),
        *answered_once(told, wanted),
        all_of("answers of the face, each under an id of its own", len(set(album.request_ids)), good),
        none("of these, more than once", len(album.request_ids) - len(set(album.request_ids))),
        all_of("calls that the face's quota still allows", left, _SPARE),
        none("tracebacks in the logs of gateway and face", tracebacks),
        prompt(health),
    ]
    return Section(
        "Many streams, on the REST face",
        f"{plan.streams} streams at once, {plan.items} photographs each, {plan.bad:.0%} of them bad: damaged so that only the "
        f"face finds it, cut short, empty, too small or no pictures. {count:,} items in {seconds:.0f} s ({count / seconds:.0f} a "
        f"second). The cloud is `image-gateway rest`: its engines tag each of {len(album.photos)} photographs, which it answers "
        "from its recordings when they come again; the gateway remembers nothing, so that each item is a call to the face. The "
        f"quota of the face's user allows {_SPARE} calls more than must succeed; what is left of it afterwards says whether any "
        "was counted twice."
        + (f" The clients and the face give way to the gateway and to whoever asks for health (nice {NICE})." * plan.gives_way),
        checks,
    )


def photographs() -> list[bytes]:
    """The shipped photographs, made small, in three formats."""
    kinds = ".jpg", ".webp", ".png"
    found = sorted(path for path in _PHOTOS.iterdir() if path.suffix != ".md")
    return [_small(path, kinds[number % len(kinds)]) for number, path in enumerate(found)]


def _small(path: Path, kind: str) -> bytes:
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    scale = _SIDE / max(pixels.shape[:2])
    return cv2.imencode(kind, cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))[1].tobytes()


def _items(plan: Bulk, stream: int, photos: Sequence[bytes]) -> Iterator[Item]:
    chance = random.Random(f"{plan.seed} {stream}")  # noqa: S311  # no secret
    for number in range(plan.items):
        content, reason = photos[number % len(photos)], None
        if chance.random() < plan.bad:
            content, reason = chance.choice(_BAD)
        yield Item(f"s{stream}-{number}", content, reason)


async def _allowed(stub: "pb_grpc.TaggingServiceAsyncStub", photo: bytes, most: int) -> int:
    """How many calls succeed, one after the other, until one is refused; at most `most`."""
    for number in range(most):
        try:
            await stub.TagImage(pb.TagImageRequest(content=photo))
        except aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            return number
    return most


def _tags(response: pb.TagImageResponse) -> list[tuple[str, float]]:
    return [(tag.name, tag.confidence) for tag in response.tags]


def _png(data: bytes) -> bytes:
    """A file in good order whose compressed pixels are `data`."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


_BAD: Final = (*DAMAGES, *[(_png(b"no pixels"), Reason.IMAGE_DAMAGED)] * len(DAMAGES))
"""Half of them are seen by the gateway, the other half only by who decodes them."""
