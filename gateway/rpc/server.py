"""The gRPC server: options, services, start and drain."""

from typing import Final

from grpc import aio
from grpc_health.v1 import health

from gateway.imagerecognition.v1 import (
    enhancement_pb2,
    enhancement_pb2_grpc,
    music_pb2,
    music_pb2_grpc,
    preprocess_pb2,
    preprocess_pb2_grpc,
    tagging_pb2,
    tagging_pb2_grpc,
)
from gateway.rpc.calls import Calls
from gateway.rpc.enhancement import EnhancementServicer
from gateway.rpc.health import HealthMonitor
from gateway.rpc.music import MusicServicer
from gateway.rpc.preprocess import PreprocessServicer
from gateway.rpc.reflection import add_reflection
from gateway.rpc.settings import RpcSettings
from gateway.rpc.tagging import TaggingServicer
from gateway.settings import join_address, split_address
from gateway.usecases.catalogue import UseCases

_LAST_WORDS_SECONDS: Final = 0.2
"""For what is on its way out once the last call has ended: its status, and NOT_SERVING to those who watch."""

TAGGING_SERVICE: Final = tagging_pb2.DESCRIPTOR.services_by_name["TaggingService"].full_name
ENHANCEMENT_SERVICE: Final = enhancement_pb2.DESCRIPTOR.services_by_name["EnhancementService"].full_name
MUSIC_SERVICE: Final = music_pb2.DESCRIPTOR.services_by_name["MusicService"].full_name
PREPROCESS_SERVICE: Final = preprocess_pb2.DESCRIPTOR.services_by_name["PreprocessService"].full_name


class RpcServer:
    """Serves the gateway's contract over gRPC."""

    def __init__(self, settings: RpcSettings, use_cases: UseCases) -> None:
        self._settings = settings
        self._server = aio.server(
            options=[
                ("grpc.max_receive_message_length", settings.max_message_bytes),
                # Two servers on one port would share its calls at random; a second one is to fail instead.
                ("grpc.so_reuseport", 0),
            ]
        )
        self._calls = Calls()
        window = settings.stream_window
        tagging = TaggingServicer(use_cases.tag_image, self._calls, stream_window=window)
        tagging_pb2_grpc.add_TaggingServiceServicer_to_server(tagging, self._server)
        preprocessing = PreprocessServicer(use_cases.preprocess, self._calls, stream_window=window)
        preprocess_pb2_grpc.add_PreprocessServiceServicer_to_server(preprocessing, self._server)
        enhancement = EnhancementServicer(use_cases.enhance_image, self._calls)
        enhancement_pb2_grpc.add_EnhancementServiceServicer_to_server(enhancement, self._server)
        music_pb2_grpc.add_MusicServiceServicer_to_server(MusicServicer(use_cases.recognize_music, self._calls), self._server)
        asked = (TAGGING_SERVICE, ENHANCEMENT_SERVICE, MUSIC_SERVICE)
        self._health = HealthMonitor(
            use_cases.chain.check, asked, interval=settings.health_interval, independent=(PREPROCESS_SERVICE,)
        )
        self._health.add_to(self._server)
        add_reflection(self._server, (*asked, PREPROCESS_SERVICE, health.SERVICE_NAME))

    async def start(self, address: str) -> str:
        """Listen on `address` and return it with the port that was taken. Raises `OSError` if that cannot be had."""
        host, _ = split_address(address)
        try:
            port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            msg = f"{address} cannot be listened on: in use, not an address of this machine, or not allowed"
            raise OSError(msg) from error
        await self._health.start()
        await self._server.start()
        return join_address(host, port)

    async def drain(self) -> None:
        """Report NOT_SERVING, take no new calls, give those in flight their time to end, then cancel the rest."""
        await self._health.enter_shutdown()
        await self._calls.drain(self._settings.drain_timeout)
        await self._server.stop(_LAST_WORDS_SECONDS)
