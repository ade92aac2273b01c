"""GatewayService: what this gateway is and allows, from where each of it is declared."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from google.protobuf import descriptor

from gateway import __version__
from gateway.access.claim import TENANT_KEY
from gateway.access.tenant_entries import MAX_TENANT_CHARS
from gateway.imagerecognition.v1 import enhancement_pb2, music_pb2, tagging_pb2
from gateway.imagerecognition.v1 import gateway_pb2 as pb
from gateway.imagerecognition.v1 import gateway_pb2_grpc as pb_grpc
from gateway.media import (
    BRIGHTNESS_RANGE,
    GAMMA_RANGE,
    LIMIT_RANGE,
    MAX_URI_CHARS,
    SCALES,
    THRESHOLD_RANGE,
    DarkEnhanceParameters,
    DefogParameters,
    EnhancementParameters,
    TaggingParameters,
    TaggingVersion,
    UpscaleParameters,
)
from gateway.prepare import Operation, PrepareOptions
from gateway.prepare.operations import LIMITS
from gateway.provider import Provider
from gateway.rpc.answer import Context, answered
from gateway.rpc.calls import Calls
from gateway.rpc.chunks import CHUNK_BYTES
from gateway.rpc.convert import MAX_ITEM_ID_CHARS, write_duration
from gateway.rpc.replay import MAX_REQUEST_ID_CHARS
from gateway.rpc.settings import RpcSettings
from gateway.usecases.catalogue import UseCases
from gateway.usecases.music import MAX_MEDIA_BYTES, MEDIA_FORMATS

_RANGES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"threshold": THRESHOLD_RANGE, "limit": LIMIT_RANGE, "brightness": BRIGHTNESS_RANGE, "gamma": GAMMA_RANGE}
)

_TAGGING: Final = tagging_pb2.DESCRIPTOR.services_by_name["TaggingService"]
_ENHANCEMENT: Final = enhancement_pb2.DESCRIPTOR.services_by_name["EnhancementService"]
_MUSIC: Final = music_pb2.DESCRIPTOR.services_by_name["MusicService"]


class InfoServicer(pb_grpc.GatewayServiceServicer):
    """Serves `gateway.imagerecognition.v1.GatewayService`."""

    def __init__(self, info: pb.GetInfoResponse, calls: Calls, serving: Callable[[], Mapping[str, bool]]) -> None:
        """`serving` tells which providers the last check found able to serve."""
        self.info = info
        self._serving = serving
        self._calls = calls

    async def GetInfo(self, request: pb.GetInfoRequest, context: Context) -> pb.GetInfoResponse:  # noqa: N802  # the contract's
        """Tell what this gateway is."""
        del request  # it says nothing
        return await answered(context, self._calls, self._told)

    async def _told(self) -> pb.GetInfoResponse:
        told = pb.GetInfoResponse()
        told.CopyFrom(self.info)
        serving = self._serving()
        for provider in told.providers:
            provider.serving = serving.get(provider.name, False)
        return told


def gateway_info(settings: RpcSettings, use_cases: UseCases) -> pb.GetInfoResponse:
    """The message about the gateway that serves `use_cases`."""
    return pb.GetInfoResponse(
        version=__version__,
        api_versions=[pb.DESCRIPTOR.package],
        providers=[_provider(provider) for provider in use_cases.chain.providers],
        operations=[
            _pictures("tagging", Operation.TAGGING, TaggingParameters(), _methods(_TAGGING)),
            _pictures("tagging_v1", Operation.TAGGING, TaggingParameters.defaults(TaggingVersion.V1), _methods(_TAGGING)),
            _pictures(
                "dark_enhance", Operation.DARK_ENHANCE, DarkEnhanceParameters(), _methods(_ENHANCEMENT, "EnhanceDarkImage")
            ),
            _pictures("defog", Operation.DEFOG, DefogParameters(), _methods(_ENHANCEMENT, "DefogImage")),
            _pictures(
                "super_resolution", Operation.SUPER_RESOLUTION, UpscaleParameters(), _methods(_ENHANCEMENT, "UpscaleImage")
            ),
            pb.OperationInfo(
                name="background_music", methods=_methods(_MUSIC), formats=MEDIA_FORMATS, max_file_bytes=MAX_MEDIA_BYTES
            ),
        ],
        limits=_limits(settings),
        repairs=_repairs(use_cases.tag_image.repairs),
        languages=[number for number in tagging_pb2.Language.values() if number],
    )


def _provider(provider: Provider) -> pb.ProviderInfo:
    return pb.ProviderInfo(
        name=provider.name,
        downloads_images=provider.downloads_images,
        downloads_recordings=provider.downloads_recordings,
    )


def _methods(service: descriptor.ServiceDescriptor, word: str = "") -> list[str]:
    return [f"{service.full_name}/{method.name}" for method in service.methods if word in method.name]


def _pictures(
    name: str, operation: Operation, defaults: TaggingParameters | EnhancementParameters, methods: list[str]
) -> pb.OperationInfo:
    limits = LIMITS[operation]
    return pb.OperationInfo(
        name=name,
        methods=methods,
        formats=limits.formats,
        min_side=limits.min_side,
        max_side=limits.max_side,
        max_base64_chars=limits.max_base64,
        max_file_bytes=limits.max_base64 // 4 * 3,
        parameters=[_parameter(field.name, getattr(defaults, field.name)) for field in fields(defaults)],
    )


def _parameter(name: str, default: StrEnum | float) -> pb.ParameterInfo:
    if isinstance(default, StrEnum):
        return pb.ParameterInfo(name=name, choices=pb.Choices(values=list(type(default))), default_value=default)
    if isinstance(default, bool):
        return pb.ParameterInfo(name=name, default_value=str(default).lower())
    if name == "scale":
        return pb.ParameterInfo(name=name, choices=pb.Choices(values=map(str, SCALES)), default_value=str(default))
    low, high = _RANGES[name]
    return pb.ParameterInfo(name=name, number=pb.NumberRange(min=low, max=high), default_value=f"{default:g}")


def _limits(settings: RpcSettings) -> pb.TransferLimits:
    return pb.TransferLimits(
        max_request_bytes=settings.max_message_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        max_batch_requests=settings.max_batch_requests,
        stream_window=settings.stream_window,
        chunk_bytes=CHUNK_BYTES,
        replay_window=write_duration(settings.replay_window),
        max_request_id_chars=MAX_REQUEST_ID_CHARS,
        max_item_id_chars=MAX_ITEM_ID_CHARS,
        max_uri_chars=MAX_URI_CHARS,
        tenant_metadata_key=TENANT_KEY,
        max_tenant_chars=MAX_TENANT_CHARS,
    )


def _repairs(options: PrepareOptions) -> pb.RepairInfo:
    return pb.RepairInfo(
        fit=options.fit,
        shrink=options.shrink,
        convert=options.convert,
        strip_metadata=options.strip_metadata,
        allow_other_formats=options.allow_other_formats,
    )
