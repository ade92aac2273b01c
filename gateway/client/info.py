"""What a gateway says of itself, for asyncio."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.client.channel import Connected, Target
from gateway.client.exchange import answer_to
from gateway.imagerecognition.v1 import gateway_pb2 as pb
from gateway.imagerecognition.v1 import gateway_pb2_grpc as pb_grpc
from gateway.imagerecognition.v1 import tagging_pb2
from gateway.media import Language

_LANGUAGES: Final = {tagging_pb2.LANGUAGE_ZH: Language.ZH, tagging_pb2.LANGUAGE_EN: Language.EN}


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """One who does the work. `serving`: whether the last check of it succeeded."""

    name: str
    downloads_images: bool
    downloads_recordings: bool
    serving: bool


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """One parameter of an operation: a number of `range` (both ends allowed), one of `choices`, or neither: a switch."""

    default: str
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationInfo:
    """What one operation takes. Sides in pixels, 0 if it takes no pictures; `max_base64_chars` is 0 if the file itself counts."""

    methods: tuple[str, ...]
    formats: tuple[str, ...]
    min_side: int
    max_side: int
    max_base64_chars: int
    max_file_bytes: int
    parameters: Mapping[str, ParameterInfo]


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """Limits of messages, streams and names. `replay_window` is in seconds."""

    max_request_bytes: int
    max_upload_bytes: int
    max_batch_requests: int
    stream_window: int
    chunk_bytes: int
    replay_window: float
    max_request_id_chars: int
    max_item_id_chars: int
    max_uri_chars: int
    max_tenant_chars: int
    tenant_metadata_key: str


@dataclass(frozen=True, slots=True)
class Repairs:
    """What pictures may get before they are worked on, as `PrepareOptions` has it."""

    fit: bool
    shrink: bool
    convert: str
    strip_metadata: bool
    allow_other_formats: bool


@dataclass(frozen=True, slots=True)
class GatewayInfo:
    """What a gateway is and allows. `providers` in the order in which they are asked; `operations` by name."""

    version: str
    api_versions: tuple[str, ...]
    providers: tuple[ProviderInfo, ...]
    operations: Mapping[str, OperationInfo]
    limits: TransferLimits
    repairs: Repairs
    languages: tuple[Language, ...]


class InfoClient(Connected):
    """Asks one gateway what it is. Use it inside one event loop, and close it by `async with` or `aclose()`."""

    def __init__(self, target: Target) -> None:
        """`target` is `host:port`, any gRPC target such as `dns:///gateway:50051`, or a connection that others use, too."""
        super().__init__(target)
        self._stub = pb_grpc.GatewayServiceStub(self._channel)

    async def info(self, *, timeout: float | None = None) -> GatewayInfo:
        """What the gateway is and allows; the same for as long as it runs. `timeout` is in seconds. Raises `GatewayError`."""
        return _read_info(await answer_to(self._stub.GetInfo(pb.GetInfoRequest(), timeout=timeout)))


def _read_info(response: pb.GetInfoResponse) -> GatewayInfo:
    repairs = response.repairs
    return GatewayInfo(
        version=response.version,
        api_versions=tuple(response.api_versions),
        providers=tuple(ProviderInfo(p.name, p.downloads_images, p.downloads_recordings, p.serving) for p in response.providers),
        operations=MappingProxyType({operation.name: _read_operation(operation) for operation in response.operations}),
        limits=_read_limits(response.limits),
        repairs=Repairs(
            fit=repairs.fit,
            shrink=repairs.shrink,
            convert=repairs.convert,
            strip_metadata=repairs.strip_metadata,
            allow_other_formats=repairs.allow_other_formats,
        ),
        # Those of a newer gateway that this client has no name for are of no use here.
        languages=tuple(_LANGUAGES[number] for number in response.languages if number in _LANGUAGES),
    )


def _read_operation(operation: pb.OperationInfo) -> OperationInfo:
    return OperationInfo(
        methods=tuple(operation.methods),
        formats=tuple(operation.formats),
        min_side=operation.min_side,
        max_side=operation.max_side,
        max_base64_chars=operation.max_base64_chars,
        max_file_bytes=operation.max_file_bytes,
        parameters=MappingProxyType({parameter.name: _read_parameter(parameter) for parameter in operation.parameters}),
    )


def _read_parameter(parameter: pb.ParameterInfo) -> ParameterInfo:
    number = parameter.number
    return ParameterInfo(
        default=parameter.default_value,
        range=(number.min, number.max) if parameter.HasField("number") else None,
        choices=tuple(parameter.choices.values),
    )


def _read_limits(limits: pb.TransferLimits) -> TransferLimits:
    return TransferLimits(
        max_request_bytes=limits.max_request_bytes,
        max_upload_bytes=limits.max_upload_bytes,
        max_batch_requests=limits.max_batch_requests,
        stream_window=limits.stream_window,
        chunk_bytes=limits.chunk_bytes,
        replay_window=limits.replay_window.ToTimedelta().total_seconds(),
        max_request_id_chars=limits.max_request_id_chars,
        max_item_id_chars=limits.max_item_id_chars,
        max_uri_chars=limits.max_uri_chars,
        max_tenant_chars=limits.max_tenant_chars,
        tenant_metadata_key=limits.tenant_metadata_key,
    )
