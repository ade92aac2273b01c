"""What is measured. Imported by the driver and by every peer's process, so it needs nothing that is not in Python."""

import json
from dataclasses import dataclass
from typing import Literal

FIELDS = {"language": "zh", "threshold": 60.0, "limit": 50}
FIELDS_JSON = json.dumps(FIELDS)

MAX_BYTES = 7_864_320
"""What the service takes: 10 485 760 characters of base64."""
QUALITY = 90
"""Of every JPEG that is written, with 4:2:0 chroma."""


@dataclass(frozen=True)
class Row:
    """One piece of work. `side`: the wide side wanted, 0 where the size stays. `reduction`: how many times smaller, at the
    most, a decoder may make the picture.
    """

    key: str
    title: str
    kind: Literal["probe", "body", "fit", "shrink", "strip"]
    file: str
    side: int = 0
    reduction: int = 1
    has_throughput: bool = False

    @property
    def is_jpeg(self) -> bool:
        return self.file.endswith(".jpg")

    @property
    def writes_pixels(self) -> bool:
        return self.kind in {"fit", "shrink"}


ROWS = (
    Row("R1", "probe a 12 MP JPEG: format, size, orientation", "probe", "12mp.jpg"),
    Row("R2", "probe, base64 and JSON body, 2 MB", "body", "2.0mb.jpg"),
    Row("R3", "probe, base64 and JSON body, 7.5 MB", "body", "7.5mb.jpg", has_throughput=True),
    Row("R4", "24 MP JPEG to 4096 px", "fit", "24mp.jpg", 4096),
    Row("R5", "12 MP JPEG to 1024 px", "fit", "12mp.jpg", 1024, 2, has_throughput=True),
    Row("R6", "12 MP PNG to 1024 px", "fit", "12mp.png", 1024, 2),
    Row("R7", "12 MP lossy WEBP to 1024 px", "fit", "12mp.webp", 1024, 2),
    Row("R8", f"9 MB JPEG to at most {MAX_BYTES} bytes", "shrink", "9.0mb.jpg"),
    Row("R9", "metadata out of a 5 MB JPEG, without loss", "strip", "metadata.jpg"),
)
