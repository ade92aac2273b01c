"""`image-gateway music`: index a folder of songs, and recognise them in recordings, through a gateway or in this process."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from gateway import client
from gateway.cli.connection import opened_connection
from gateway.cli.render import error_json, print_json
from gateway.cli.sources import is_uri
from gateway.cli.table import OutputConsole
from gateway.config import GatewaySettings
from gateway.engines.music.catalogue import Indexed, Skipped, build_index
from gateway.engines.steps import Cancelled
from gateway.errors import GatewayError, Reason
from gateway.media import ImageUri, MediaContent, MediaSource, RecognizedMusic
from gateway.server import opened_use_cases
from gateway.usecases.music import MAX_MEDIA_BYTES

Recognise = Callable[[MediaSource], Awaitable[RecognizedMusic]]


@dataclass(frozen=True, slots=True)
class MusicIndexRequest:
    """What `music index` asks for: the folder with the songs, and the file to write."""

    folder: Path
    out: Path


@dataclass(frozen=True, slots=True)
class MusicRecogniseRequest:
    """What `music recognise` asks for. `index`: instead of the one that the settings name; not with `target`."""

    sources: tuple[str, ...]
    index: Path | None
    target: str | None
    as_json: bool


async def run_music_index(request: MusicIndexRequest, settings: GatewaySettings) -> int:  # noqa: ARG001 - as all commands
    """Build the index, say what is in it, and return the exit status: 0, or 1 if there was nothing to index.

    Raises `GatewayError` if there is no such folder, and `OSError` if the index cannot be written.
    """
    if not request.folder.is_dir():
        raise GatewayError(Reason.INVALID_ARGUMENT, f"{request.folder} is not a folder")
    songs: list[Indexed] = []
    skipped: list[Skipped] = []
    given_up = threading.Event()

    def progress(done: Indexed | Skipped) -> None:
        if isinstance(done, Indexed):
            songs.append(done)
        else:
            skipped.append(done)

    def checkpoint() -> None:
        if given_up.is_set():
            raise Cancelled

    try:
        await asyncio.to_thread(build_index, request.folder, request.out, progress, checkpoint)
    except ValueError as error:
        print(f"{request.out} is not written: {error} in {request.folder}; {len(skipped)} files skipped")
        return 1
    finally:
        given_up.set()
    hours = sum(song.seconds for song in songs) / 3600
    size = request.out.stat().st_size / 1e6
    print(f"{request.out}: {len(songs)} songs, {hours:.1f} hours, {size:.1f} MB; {len(skipped)} files skipped")
    return 0


async def run_music_recognise(request: MusicRecogniseRequest, settings: GatewaySettings) -> int:
    """Recognise, print, and return the exit status: 0, or 1 if any recording could not be listened to."""
    table = Table("recording", "music", "confidence", "begins at", box=None, pad_edge=False)
    failed = 0
    async with _recogniser(request, settings) as recognise:
        for source in request.sources:
            outcome = await _outcome(recognise, source)
            failed += isinstance(outcome, GatewayError)
            if request.as_json:
                print_json(_json(source, outcome))
            else:
                table.add_row(*_cells(source, outcome))
    if not request.as_json:
        OutputConsole().print(table)
    return 1 if failed else 0


@contextlib.asynccontextmanager
async def _recogniser(request: MusicRecogniseRequest, settings: GatewaySettings) -> AsyncIterator[Recognise]:
    if request.target is not None:
        async with opened_connection(request.target, settings.client) as connection, client.MusicClient(connection) as there:
            yield there.recognise
        return
    local = settings.local if request.index is None else settings.local.model_copy(update={"music_index": request.index})
    # The person who names a URL here may reach it anyway: no need to keep them out of their own network.
    download = settings.download.model_copy(update={"allow_private": True})
    here = settings.model_copy(update={"provider": "local", "local": local, "download": download})
    async with opened_use_cases(here) as use_cases:
        yield use_cases.recognize_music


async def _outcome(recognise: Recognise, name: str) -> RecognizedMusic | GatewayError:
    try:
        source = ImageUri(name) if is_uri(name) else await asyncio.to_thread(_read, Path(name))
        return await recognise(source)
    except GatewayError as error:
        return error


def _read(path: Path) -> MediaContent:
    try:
        size = path.stat().st_size
        if size <= MAX_MEDIA_BYTES:
            return MediaContent(path.read_bytes())
    except OSError as error:
        raise GatewayError(Reason.INVALID_ARGUMENT, f"the file cannot be read: {error.strerror}", field="content") from error
    measured, allowed = f"{size} bytes", f"at most {MAX_MEDIA_BYTES} bytes"
    message = f"the recording is {measured}; it must be {allowed}"
    raise GatewayError(Reason.MEDIA_TOO_LARGE, message, field="content", measured=measured, allowed=allowed)


def _json(item_id: str, outcome: RecognizedMusic | GatewayError) -> dict[str, Any]:
    if isinstance(outcome, GatewayError):
        return {"item_id": item_id, "error": error_json(outcome)}
    match = outcome.reply.match
    if match is None:
        return {"item_id": item_id, "music": None}
    music = {
        "audio_name": match.name,
        "confidence": round(match.confidence, 1),
        "offset_seconds": round(match.offset_seconds, 2),
    }
    return {"item_id": item_id, "music": music}


def _cells(item_id: str, outcome: RecognizedMusic | GatewayError) -> tuple[Text, Text, Text, Text]:
    none = Text("")
    if isinstance(outcome, GatewayError):
        return Text(item_id), Text(f"{outcome.reason}: {outcome.message}", style="red"), none, none
    match = outcome.reply.match
    if match is None:
        return Text(item_id), Text("nothing that the index knows", style="dim"), none, none
    return Text(item_id), Text(match.name), Text(f"{match.confidence:.0f}%"), Text(_clock(match.offset_seconds))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(abs(round(seconds)), 60)
    return f"{'-' if round(seconds) < 0 else ''}{minutes}:{rest:02}"
