"""The engines of this process as a provider."""

import asyncio
import time
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
from prometheus_client import CollectorRegistry

from gateway.boxes import map_tags_back
from gateway.call import UNHURRIED, Call
from gateway.engines.enhancement import MAX_SIDE, EnhancementEngine, check_size
from gateway.engines.metrics import EngineMetrics
from gateway.engines.music import MusicEngine, MusicIndex
from gateway.engines.picture import decoded, encoded
from gateway.engines.pool import EnginePool, Worked
from gateway.engines.settings import LocalSettings
from gateway.engines.steps import Checkpoint
from gateway.engines.tagging import TaggingEngine
from gateway.errors import GatewayError, Reason
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    EnhancementParameters,
    EnhancementReply,
    ImageFacts,
    ImageUri,
    MediaSource,
    MusicReply,
    PreparedImage,
    Tag,
    TaggingParameters,
    TaggingReply,
    TaggingVersion,
    UpscaleParameters,
    historical,
)
from gateway.telemetry.stage import stage

_ENGINES: Final = {DarkEnhanceParameters: "dark_enhance", DefogParameters: "defog", UpscaleParameters: "super_resolution"}


class _Engines(NamedTuple):
    """What takes the memory: the models, and the index of music."""

    tagging: TaggingEngine
    enhancement: EnhancementEngine
    music: MusicEngine


class LocalProvider:
    """Computes on this machine's CPUs: `workers` pictures or recordings at once, the others in order of arrival."""

    name: Final = "local"
    downloads_images: Final = False
    downloads_recordings: Final = False
    decodes_here: Final = True

    def __init__(self, settings: LocalSettings, *, max_pixels: int, registry: CollectorRegistry | None = None) -> None:
        """Load the models (tenths of a second) and open the index of music. Raises `ValueError` if one cannot be used.

        A picture of more than `max_pixels` is not decoded. `registry`: where metrics go.
        """
        # Pictures are worked on side by side, so each takes one thread: more per picture only add hand-overs.
        cv2.setNumThreads(1)
        self._max_pixels = max_pixels
        music = MusicEngine(opened_index(settings.music_index))
        self._opened: _Engines | None = _Engines(TaggingEngine(), EnhancementEngine(), music)
        self._pool = pool = EnginePool(settings.workers)
        # What is shown refers to the pool alone: the models are to go with this object, not with the registry.
        self._metrics = metrics = EngineMetrics(registry or CollectorRegistry())
        metrics.show("threads", "Pictures and recordings that are worked on at once, at most.", lambda: settings.workers)
        metrics.show("busy", "Pictures and recordings that are worked on.", lambda: pool.busy)
        metrics.show("waiting", "Pictures and recordings that wait for a thread.", lambda: pool.waiting)

    async def aclose(self) -> None:
        """Drop what has not begun, and the models; what has begun ends within a picture's time."""
        self._pool.close()
        # Whoever still refers to this holds no models: aiohttp keeps the last 1024 handlers of a process, and through them their
        # applications with all that these serve.
        self._opened = None

    async def check(self) -> None:
        """Raise `GatewayError` if the models do not compute.

        Waits for no place: however long the work takes that has them all, the engines are sound.
        """
        try:
            await asyncio.to_thread(self._engines.tagging.self_test)
        except (ValueError, RuntimeError) as error:
            raise GatewayError(Reason.INTERNAL, "the local tagging engine does not work") from error

    async def tag(self, image: PreparedImage | ImageUri, parameters: TaggingParameters, call: Call = UNHURRIED) -> TaggingReply:
        """Tag one picture. Raises `GatewayError` that says why if it cannot be decoded."""
        if isinstance(image, ImageUri):  # the use case downloads; see `downloads_images`
            raise TypeError
        worked = await self._pool.run("tagging", partial(self._tagged, self._engines.tagging, image, parameters), call)
        tags, decode_time = worked.result
        self._count("tagging", worked, decode_time)
        return TaggingReply(
            provider=self.name,
            tags=historical(tags) if parameters.version is TaggingVersion.V1 else tags,
            queue_time=worked.queue_time,
            work_time=worked.work_time,
            decode_time=decode_time,
        )

    async def enhance(self, image: PreparedImage, parameters: EnhancementParameters, call: Call = UNHURRIED) -> EnhancementReply:
        """Brighten, defog or enlarge one picture; the result is upright and in sRGB. Raises `GatewayError`."""
        check_size(image.sent or image.facts, parameters)
        engine = _ENGINES[type(parameters)]
        worked = await self._pool.run(engine, partial(self._enhanced, self._engines.enhancement, image, parameters), call)
        (data, facts), decode_time = worked.result
        self._count(engine, worked, decode_time)
        return EnhancementReply(
            provider=self.name,
            image=data,
            facts=facts,
            queue_time=worked.queue_time,
            work_time=worked.work_time,
            decode_time=decode_time,
        )

    async def recognize_music(self, source: MediaSource, call: Call = UNHURRIED) -> MusicReply:
        """Name the music in one recording. Raises `GatewayError` if its sound cannot be read."""
        if isinstance(source, ImageUri):  # the use case downloads; see `downloads_recordings`
            raise TypeError
        worked = await self._pool.run("music", partial(self._engines.music.recognise, source.data), call)
        self._count("music", worked)
        return MusicReply(provider=self.name, match=worked.result, queue_time=worked.queue_time, work_time=worked.work_time)

    @property
    def _engines(self) -> _Engines:
        if self._opened is None:
            msg = "the engines are closed"
            raise RuntimeError(msg)
        return self._opened

    def _count(self, engine: str, worked: Worked[Any], decode_time: float | None = None) -> None:
        self._metrics.worked(engine, queue_time=worked.queue_time, work_time=worked.work_time, decode_time=decode_time)

    def _tagged(
        self, engine: TaggingEngine, image: PreparedImage, parameters: TaggingParameters, checkpoint: Checkpoint
    ) -> tuple[tuple[Tag, ...], float]:
        """The tags, and the seconds that decoding took."""
        started_at = time.perf_counter()
        with stage("decode"):
            pixels, facts = decoded(image.data, max_side=TaggingEngine.WORKING_SIDE, max_pixels=self._max_pixels)
        decode_time = time.perf_counter() - started_at
        checkpoint()
        tags = engine.tag(pixels, parameters, checkpoint)
        return map_tags_back(tags, PreparedImage(data=b"", facts=image.sent or image.facts, sent=facts)), decode_time

    def _enhanced(
        self, engine: EnhancementEngine, image: PreparedImage, parameters: EnhancementParameters, checkpoint: Checkpoint
    ) -> tuple[tuple[bytes, ImageFacts], float]:
        """The enhanced file, and the seconds that decoding took."""
        started_at = time.perf_counter()
        with stage("decode"):
            pixels, _ = decoded(image.data, max_side=MAX_SIDE, max_pixels=self._max_pixels)
        decode_time = time.perf_counter() - started_at
        checkpoint()
        enhanced = engine.enhance(pixels, parameters, checkpoint)
        checkpoint()
        return encoded(enhanced, (image.sent or image.facts).format), decode_time


def opened_index(path: Path | None) -> MusicIndex:
    """The index at `path`, or else the shipped one. Raises `ValueError` naming the setting if it cannot be used."""
    if path is None:
        return MusicIndex.open(Path(str(files("gateway.engines") / "data" / "music" / "demo.index")))
    try:
        return MusicIndex.open(path)
    except OSError as error:
        msg = f"music_index: {path} cannot be read: {error.strerror}"
        raise ValueError(msg) from error
    except ValueError as error:
        msg = f"music_index: {error}"
        raise ValueError(msg) from error
