"""Record and replay: calls are answered from files, or their answers kept in files."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from gateway.rest.call import Call
from gateway.rest.errors import RestError
from gateway.rest.operations import Operation
from gateway.rest.recorded_reply import Answer, RecordingError, read_recording, write_recording
from gateway.rest.recorded_request import digest_of, recorded_request
from gateway.rest.recording_folder import RecordingFolder
from gateway.rest.recording_settings import RecordSettings
from gateway.rest.settings import RestConfigError

_log = logging.getLogger(__name__)

_PASSING: Final = frozenset({"AIS.0024", "AIS.0029", "APIG.0308"})
"""Refusals that another attempt may not meet: they are not kept."""


class Recordings:
    """The recordings that the settings name; with mode `off`, none."""

    def __init__(self, settings: RecordSettings) -> None:
        """Open the folder. Raises `RestConfigError` if it cannot be used."""
        self._replays = settings.mode in {"replay", "replay-or-record"}
        self._records = settings.mode in {"record", "replay-or-record"}
        self._folder: RecordingFolder | None = None
        if settings.folder is None or settings.mode == "off":
            return
        try:
            if self._records:
                settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder = RecordingFolder(settings.folder, settings.max_files, settings.max_bytes)
        except OSError as error:
            problem = f"setting record.folder is '{settings.folder}', which cannot be used: {error.strerror}"
            raise RestConfigError([problem]) from error

    async def answer(self, operation: Operation, call: Call, work: Callable[[], Awaitable[web.Response]]) -> web.Response:
        """The recorded answer to `call`, or else that of `work`, which is kept if calls are recorded.

        To be called when the caller is known and let in: recordings know nothing of either. Raises what is recorded or what
        `work` raises, and `RestError`: `AIS.0206` if nothing is recorded and nothing may be computed, `AIS.0003` for a
        recording that cannot be used. What cannot be written is logged, and answered all the same.
        """
        if self._folder is None:
            return await work()
        request = await asyncio.to_thread(recorded_request, operation, call)
        if self._replays:
            reply = await asyncio.to_thread(self._replayed, self._folder, request)
            if isinstance(reply, RestError):
                raise reply
            if reply is not None:
                return web.Response(body=reply.body, headers={"Content-Type": reply.content_type})
            if not self._records:
                raise RestError("AIS.0206", f"(nothing is recorded for {operation.name}, digest {digest_of(request)})")
        try:
            response = await work()
        except RestError as error:
            if error.code not in _PASSING | {operation.family.failed, operation.family.internal}:
                await asyncio.to_thread(self._keep, self._folder, request, error)
            raise
        if response.status == 200 and isinstance(response.body, bytes):
            answer = Answer(response.headers["Content-Type"], response.body)
            await asyncio.to_thread(self._keep, self._folder, request, answer)
        return response

    @staticmethod
    def _replayed(folder: RecordingFolder, request: dict[str, Any]) -> Answer | RestError | None:
        name = _name(request)
        try:
            data = folder.read(name)
            return None if data is None else read_recording(data, request)
        except RecordingError as error:
            _log.error("recording %s cannot be used: %s", name, error)
            return RestError("AIS.0003", f"(the recording {name} cannot be used: {error})")

    @staticmethod
    def _keep(folder: RecordingFolder, request: dict[str, Any], reply: Answer | RestError) -> None:
        name = _name(request)
        try:
            folder.write(name, write_recording(request, reply))
        except RecordingError as error:
            _log.warning("recording %s was not written: %s", name, error)


def _name(request: dict[str, Any]) -> str:
    return f"{request['operation']}.{digest_of(request)}.json"
