"""Pictures and recordings as callers have them: paths, URLs, bytes."""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from pathlib import Path

from gateway.client.session import MAX_CONTENT_BYTES, Items, Load, too_large
from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageSource, ImageUri, MediaContent, MediaSource
from gateway.usecases.music import MAX_MEDIA_BYTES

Picture = str | os.PathLike[str] | bytes | ImageSource
"""A path, a URL (a text with `://` in it), or the bytes of a file."""

Recording = str | os.PathLike[str] | bytes | MediaSource
"""Likewise."""

Pictures = Iterable[Picture | tuple[str, Picture]] | AsyncIterable[Picture | tuple[str, Picture]]
"""Any number of pictures. Each may come with an id, as (id, picture); without one it is the path or URL as given, and for bytes
the position, counted from 0."""


def is_uri(name: str) -> bool:
    """Whether a text is a URL rather than a path."""
    return "://" in name


async def read_picture(picture: Picture, *, max_bytes: int = MAX_CONTENT_BYTES) -> ImageSource:
    """What is to be sent of `picture`. A longer file than `max_bytes` is not read. Raises `GatewayError`."""
    match picture:
        case ImageContent() | ImageUri():
            return picture
        case bytes():
            return ImageContent(picture)
        case str() if is_uri(picture):
            return ImageUri(picture)
        case _:
            return ImageContent(await asyncio.to_thread(_read, Path(picture), max_bytes, Reason.IMAGE_TOO_LARGE))


async def read_recording(recording: Recording) -> MediaSource:
    """What is to be sent of `recording`. A longer file than the contract allows is not read. Raises `GatewayError`."""
    match recording:
        case MediaContent() | ImageUri():
            return recording
        case bytes():
            return MediaContent(recording)
        case str() if is_uri(recording):
            return ImageUri(recording)
        case _:
            return MediaContent(await asyncio.to_thread(_read, Path(recording), MAX_MEDIA_BYTES, Reason.MEDIA_TOO_LARGE))


def items_of(pictures: Pictures) -> Items:
    """Pictures as the items of a stream, each read when its turn comes."""
    return _items_later(pictures) if isinstance(pictures, AsyncIterable) else _items(pictures)


def _items(pictures: Iterable[Picture | tuple[str, Picture]]) -> Iterator[tuple[str, Load]]:
    for position, given in enumerate(pictures):
        yield _item(position, given)


async def _items_later(pictures: AsyncIterable[Picture | tuple[str, Picture]]) -> AsyncIterator[tuple[str, Load]]:
    position = 0
    async for given in pictures:
        yield _item(position, given)
        position += 1


def _item(position: int, given: Picture | tuple[str, Picture]) -> tuple[str, Load]:
    item_id, picture = given if isinstance(given, tuple) else (_name(position, given), given)

    async def load() -> ImageSource:
        return await read_picture(picture)

    return item_id, load


def _name(position: int, picture: Picture) -> str:
    match picture:
        case bytes() | ImageContent():
            return str(position)
        case ImageUri(uri):
            return uri
        case _:
            return os.fspath(picture)


def _read(path: Path, max_bytes: int, reason: Reason) -> bytes:
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise too_large(size, max_bytes, reason)
        return path.read_bytes()
    except OSError as error:
        raise GatewayError(Reason.INVALID_ARGUMENT, f"the file cannot be read: {error.strerror}", field="content") from error
