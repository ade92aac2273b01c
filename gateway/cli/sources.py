"""Files and URLs named on the command line, loaded when their turn comes."""

from functools import partial

from gateway.client import MAX_CONTENT_BYTES, Load
from gateway.client.sources import is_uri, read_picture

__all__ = ["is_uri", "loader"]


def loader(name: str, *, max_bytes: int = MAX_CONTENT_BYTES) -> tuple[str, Load]:
    """The item for one argument: its id is the argument as given. A longer file than `max_bytes` is not read."""
    return name, partial(read_picture, name, max_bytes=max_bytes)
