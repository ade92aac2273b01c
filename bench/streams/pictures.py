"""Pictures that say which item they belong to, and what must come of each."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.errors import Reason
from tests.upstream.misbehaving.fault import Fault
from tests.upstream.misbehaving.plan import Seeded
from tests.upstream.misbehaving.service import marked

REFUSALS: Final[dict[Fault, float]] = {Fault.REFUSED: 1.0}
"""What befalls pictures at the cloud."""

SMALL: Final = 4 << 10
"""Bytes, about: as little as costs nothing."""

PADDING: Final = "_"
"""What a tag may end with beyond the name."""

_ROW: Final = 1024 * 3
_LEAST_SIDE: Final = 15
"""Pixels that the cloud asks for."""


@dataclass(frozen=True, slots=True)
class Item:
    """A picture called `name`. `wanted`: why it must be refused; None if it must be tagged."""

    name: str
    content: bytes
    wanted: Reason | None


def picture(name: str, size: int, *, tag: int = 0) -> bytes:
    """A bitmap of `size` bytes or a little more, that the misbehaving cloud tags with `name`, made `tag` characters long."""
    text = f"marker-{name.ljust(tag, PADDING)} ".encode()
    if size <= SMALL:
        return _bitmap(32, 32, text)
    return _bitmap(_ROW // 3, max(_LEAST_SIDE, -(-size // _ROW)), text)


def mixed(stream: str, count: int, *, seed: int, bad: float) -> Iterator[Item]:
    """Small pictures of one stream, of which a share `bad` is bad: half of that at the cloud, as `Seeded` says with the same
    seed and the share `bad / 2`, half by damage that the gateway sees."""
    cloud = Seeded(seed, bad / 2, REFUSALS)
    chance = random.Random(f"{seed} {stream}")  # noqa: S311  # no secret
    for number in range(count):
        name = f"{stream}-{number}"
        if chance.random() < bad / 2:
            content, reason = chance.choice(DAMAGES)
            yield Item(name, content, reason)
        else:
            refused = cloud.on_request(name, 1) is Fault.REFUSED
            yield Item(name, picture(name, SMALL), Reason.IMAGE_DAMAGED if refused else None)


def _bitmap(width: int, height: int, text: bytes) -> bytes:
    """Its pixels begin with `text`."""
    pixels = text.ljust(width * height * 3, b"\0")
    header = b"BM" + (54 + len(pixels)).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    fields = (40, 4), (width, 4), (height, 4), (1, 2), (24, 2), (0, 4), (len(pixels), 4), (2835, 4), (2835, 4), (0, 4), (0, 4)
    return header + b"".join(value.to_bytes(size, "little") for value, size in fields) + pixels


DAMAGES: Final = (
    (b"", Reason.IMAGE_EMPTY),
    (marked(b"no picture", "none"), Reason.IMAGE_FORMAT_UNSUPPORTED),
    (_bitmap(14, 14, b""), Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE),
    (picture("cut", SMALL)[:1000], Reason.IMAGE_DAMAGED),
)
"""Pictures that no cloud is asked about, and what is said of them."""
