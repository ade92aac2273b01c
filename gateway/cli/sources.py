"""Files and URLs named on the command line, loaded when their turn comes."""

import asyncio
from pathlib import Path

from gateway.client import MAX_CONTENT_BYTES, Load
from gateway.client.session import too_large
from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageSource, ImageUri


def is_uri(name: str) -> bool:
    """Whether an argument is a URL rather than a file."""
    return "://" in name


def loader(name: str, *, max_bytes: int = MAX_CONTENT_BYTES) -> tuple[str, Load]:
    """The item for one argument: its id is the argument as given. A longer file than `max_bytes` is not read."""

    async def load() -> ImageSource:
        if is_uri(name):
            return ImageUri(name)
        return await asyncio.to_thread(_read, Path(name), max_bytes)

    return name, load


def _read(path: Path, max_bytes: int) -> ImageContent:
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise too_large(size, max_bytes)
        return ImageContent(path.read_bytes())
    except OSError as error:
        raise GatewayError(Reason.INVALID_ARGUMENT, f"the file cannot be read: {error.strerror}", field="content") from error
