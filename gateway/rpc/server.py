"""The gRPC server: options, services, start and drain."""

import asyncio
import time
from typing import Final

import grpc
from grpc import aio
from grpc_channelz.v1 import channelz, channelz_pb2
from grpc_health.v1 import health

from gateway.access.gate import Gate
from gateway.cache.memory import MemoryStore
from gateway.errors import Reason
from gateway.imagerecognition.v1 import (
    enhancement_pb2,
    enhancement_pb2_grpc,
    gateway_pb2,
    gateway_pb2_grpc,
    music_pb2,
    music_pb2_grpc,
    preprocess_pb2,
    preprocess_pb2_grpc,
    tagging_pb2,
    tagging_pb2_grpc,
)
from gateway.rpc.admission import Admission
from gateway.rpc.authentication import Authentication
from gateway.rpc.calls import Calls
from gateway.rpc.enhancement import EnhancementServicer
from gateway.rpc.health import HealthMonitor
from gateway.rpc.info import InfoServicer, gateway_info
from gateway.rpc.metrics import RpcMetrics
from gateway.rpc.music import MusicServicer
from gateway.rpc.observation import Observation
from gateway.rpc.options import server_options
from gateway.rpc.preprocess import PreprocessServicer
from gateway.rpc.reflection import add_reflection
from gateway.rpc.replay import Replay
from gateway.rpc.settings import RpcSettings
from gateway.rpc.tagging import TaggingLimits, TaggingServicer
from gateway.rpc.telemetry import RpcTelemetry
from gateway.rpc.upload import UploadLimits
from gateway.settings import join_address, split_address
from gateway.usecases.catalogue import UseCases
from gateway.usecases.music import MAX_MEDIA_BYTES
from gateway.usecases.standing import Standing

_LAST_WORDS_SECONDS: Final = 0.2
"""For what is on its way out once the last call has ended: its status, and NOT_SERVING to those who watch."""

_TIDYING_SECONDS: Final = 5.0
"""For handlers that were cancelled."""

TAGGING_SERVICE: Final = tagging_pb2.DESCRIPTOR.services_by_name["TaggingService"].full_name
ENHANCEMENT_SERVICE: Final = enhancement_pb2.DESCRIPTOR.services_by_name["EnhancementService"].full_name
MUSIC_SERVICE: Final = music_pb2.DESCRIPTOR.services_by_name["MusicService"].full_name
GATEWAY_SERVICE: Final = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"].full_name
CHANNELZ_SERVICE: Final[str] = channelz_pb2.DESCRIPTOR.services_by_name["Channelz"].full_name
PREPROCESS_SERVICE: Final = preprocess_pb2.DESCRIPTOR.services_by_name["PreprocessService"].full_name

_OF_ITEMS: Final = tuple(
    f"{service}/{method}"
    for service, method in (
        (TAGGING_SERVICE, "BatchTagImages"),
        (TAGGING_SERVICE, "StreamTagImages"),
        (PREPROCESS_SERVICE, "StreamPrepareImages"),
    )
)
"""Methods whose calls have items, each with an outcome of its own."""

_OF_PICTURES: Final = frozenset({ENHANCEMENT_SERVICE, PREPROCESS_SERVICE})
"""Services whose replies are pictures, which are compressed already."""


class RpcServer:
    """Serves the gateway's contract over gRPC."""

    def __init__(
        self,
        settings: RpcSettings,
        use_cases: UseCases,
        gate: Gate,
        telemetry: RpcTelemetry | None = None,
        *,
        share_port: bool = False,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        """`gate` lets callers in. `share_port`: whether other processes may listen on the same port, too. `credentials`: by which
        it speaks TLS, if it does."""
        self._settings = settings
        self._credentials = credentials
        self._calls = Calls(max_held_bytes=settings.max_held_bytes)
        telemetry = telemetry or RpcTelemetry()
        metrics = RpcMetrics(telemetry.registry)
        metrics.expect_items(_OF_ITEMS)
        held = self._calls.held
        metrics.show("held_bytes", "Bytes of requests that are held.", lambda: held.held)
        metrics.show("held_limit_bytes", "Bytes of requests that may be held.", lambda: held.limit)
        metrics.show("held_waiting", "Items of streams that wait for room among those bytes.", lambda: held.waiting)
        self._standing = Standing(use_cases.chain, telemetry.registry, timeout=settings.health_interval)
        compresses = settings.compression == "gzip"
        admission = Admission(self._calls, settings, uncompressed=_OF_PICTURES if compresses else frozenset())
        self._server = aio.server(
            options=server_options(settings, share_port=share_port),
            compression=grpc.Compression.Gzip if compresses else None,
            interceptors=[Observation(metrics, telemetry.log, telemetry.tracing), Authentication(gate), admission],
        )
        replies = MemoryStore(settings.replay_max_bytes, time.monotonic)
        replay = Replay(replies, window=settings.replay_window)
        tagging = TaggingServicer(use_cases.tag_image, self._calls, replay, _tagging_limits(settings))
        tagging_pb2_grpc.add_TaggingServiceServicer_to_server(tagging, self._server)
        preprocessing = PreprocessServicer(use_cases.preprocess, self._calls, stream_window=settings.stream_window)
        preprocess_pb2_grpc.add_PreprocessServiceServicer_to_server(preprocessing, self._server)
        enhancement = EnhancementServicer(use_cases.enhance_image, self._calls, _picture_limits(settings))
        enhancement_pb2_grpc.add_EnhancementServiceServicer_to_server(enhancement, self._server)
        music = MusicServicer(use_cases.recognize_music, self._calls, _recording_limits(settings))
        music_pb2_grpc.add_MusicServiceServicer_to_server(music, self._server)
        info = InfoServicer(gateway_info(settings, use_cases), self._calls, self._standing.serving)
        gateway_pb2_grpc.add_GatewayServiceServicer_to_server(info, self._server)
        asked = (TAGGING_SERVICE, ENHANCEMENT_SERVICE, MUSIC_SERVICE)
        self._health = HealthMonitor(
            self._standing.check,
            asked,
            interval=settings.health_interval,
            independent=(PREPROCESS_SERVICE, GATEWAY_SERVICE),
            providers=self._standing.serving,
        )
        self._health.add_to(self._server)
        if settings.channelz:
            channelz.add_channelz_servicer(self._server)
        of_grpc = (health.SERVICE_NAME, CHANNELZ_SERVICE) if settings.channelz else (health.SERVICE_NAME,)
        add_reflection(self._server, (*asked, PREPROCESS_SERVICE, GATEWAY_SERVICE, *of_grpc))

        def adopt(new: RpcSettings) -> None:
            admission.adopt(new)
            replies.resize(new.replay_max_bytes)
            replay.window = new.replay_window
            tagging.limits = _tagging_limits(new)
            preprocessing.stream_window = new.stream_window
            enhancement.limits = _picture_limits(new)
            music.limits = _recording_limits(new)
            info.info = gateway_info(new, use_cases)

        self._adopt = adopt

    @property
    def standing(self) -> Standing:
        """Whether calls are taken, and which providers can serve them."""
        return self._standing

    def adopt(self, settings: RpcSettings) -> None:
        """From now on by these settings, as far as they can change while the server runs (`reload`)."""
        self._settings = settings
        self._calls.held.limit = settings.max_held_bytes
        self._health.interval = self._standing.timeout = settings.health_interval
        self._adopt(settings)

    async def start(self, address: str) -> str:
        """Listen on `address` and return it with the port that was taken. Raises `OSError` if that cannot be had."""
        host, _ = split_address(address)
        try:
            if self._credentials is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, self._credentials)
        except RuntimeError as error:
            msg = f"{address} cannot be listened on: in use, not an address of this machine, or not allowed"
            raise OSError(msg) from error
        await self._health.start()
        await self._server.start()
        return join_address(host, port)

    async def drain(self) -> None:
        """Report NOT_SERVING, take no new calls, give those in flight their time to end, then cancel the rest.

        Streams begin no further item and end once what they have begun is answered. Clients are told at once to connect
        elsewhere, and the port is free for others.
        """
        self._standing.is_draining = True
        await self._health.enter_shutdown()
        self._calls.close()
        stopping = asyncio.create_task(self._server.stop(self._settings.drain_timeout + _LAST_WORDS_SECONDS))
        await self._calls.ended(self._settings.drain_timeout)
        await self._server.stop(_LAST_WORDS_SECONDS)
        await stopping
        # What handlers tidy up outlasts gRPC's stop (https://github.com/grpc/grpc/issues/37239), and needs what is closed next.
        await self._calls.ended(_TIDYING_SECONDS)


def _tagging_limits(settings: RpcSettings) -> TaggingLimits:
    return TaggingLimits(window=settings.stream_window, batch=settings.max_batch_requests)


def _picture_limits(settings: RpcSettings) -> UploadLimits:
    return UploadLimits(settings.max_upload_bytes, settings.receive_timeout)


def _recording_limits(settings: RpcSettings) -> UploadLimits:
    return UploadLimits(MAX_MEDIA_BYTES, settings.receive_timeout, Reason.MEDIA_TOO_LARGE)
