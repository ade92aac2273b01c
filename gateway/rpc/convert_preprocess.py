"""Messages of the preprocess service ↔ the gateway's own values."""

from collections.abc import Iterable
from typing import Final

from gateway.boxes import turned_back
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.media import Box, ImageFacts, PreparationAction
from gateway.prepare import Operation, PrepareOptions
from gateway.rpc.convert import EnumTable, write_duration, write_info
from gateway.rpc.status import to_status
from gateway.usecases.preprocessing import ImageEncoding, Inspection, Preparation

_DEFAULTS: Final = PrepareOptions()
_OPERATIONS: Final = EnumTable(pb.Operation, Operation.TAGGING)
_CONVERT: Final = EnumTable(pb.Convert, _DEFAULTS.convert)
_ALPHA: Final = EnumTable(pb.Alpha, _DEFAULTS.alpha)
_OUTPUT_FORMATS: Final = EnumTable(pb.OutputFormat, _DEFAULTS.output_format)


def read_operation(operation: int) -> Operation:
    """Raises `GatewayError` for a number that the contract does not have."""
    return _OPERATIONS.read(operation, "operation")


def read_options(options: pb.PrepareOptions) -> PrepareOptions:
    """Raises `GatewayError` naming the option that is out of range, relative to the message that holds them."""
    return PrepareOptions(
        fit=options.fit if options.HasField("fit") else _DEFAULTS.fit,
        shrink=options.shrink if options.HasField("shrink") else _DEFAULTS.shrink,
        rotate=options.rotate if options.HasField("rotate") else _DEFAULTS.rotate,
        convert=_CONVERT.read(options.convert, "options.convert"),
        strip_metadata=options.strip_metadata if options.HasField("strip_metadata") else _DEFAULTS.strip_metadata,
        full_decode=options.full_decode,
        allow_other_formats=options.allow_other_formats,
        alpha=_ALPHA.read(options.alpha, "options.alpha"),
        output_format=_OUTPUT_FORMATS.read(options.output_format, "options.output_format"),
        max_side=options.max_side if options.HasField("max_side") else None,
        max_bytes=options.max_bytes if options.HasField("max_bytes") else None,
        quality=options.quality if options.HasField("quality") else _DEFAULTS.quality,
    )


def write_inspection(inspection: Inspection) -> pb.InspectImageResponse:
    """The response message for one picture that was looked at."""
    response = pb.InspectImageResponse(
        image=write_info(inspection.facts) if inspection.facts is not None else None,
        encoding=_write_encoding(inspection.encoding) if inspection.encoding is not None else None,
    )
    verdict = inspection.verdict
    if isinstance(verdict, GatewayError):
        response.refusal.CopyFrom(to_status(verdict))
        return response
    response.plan.CopyFrom(
        pb.PreparationPlan(
            actions=_write_actions(verdict.actions),
            width=verdict.width,
            height=verdict.height,
            is_rewritten=verdict.is_rewritten,
        )
    )
    return response


def write_preparation(preparation: Preparation) -> pb.Preparation:
    """The message for what was done to one picture."""
    image = preparation.image
    prepared = image.sent or image.facts
    return pb.Preparation(
        given=write_info(image.facts),
        prepared=write_info(prepared),
        actions=_write_actions(image.actions),
        mapping=_write_mapping(image.facts, prepared),
        prepare_time=write_duration(preparation.prepare_time),
    )


def _write_actions(actions: Iterable[PreparationAction]) -> list[pb.PreparationAction]:
    return [pb.PreparationAction(name=action.name, detail=action.detail) for action in actions]


def _write_encoding(encoding: ImageEncoding) -> pb.ImageEncoding:
    return pb.ImageEncoding(
        name=encoding.name,
        color_model=pb.ColorModel.Value(f"COLOR_MODEL_{encoding.color.upper()}"),
        bit_depth=encoding.bit_depth,
        has_alpha=encoding.has_alpha,
        is_animated=encoding.is_animated,
    )


def _write_mapping(given: ImageFacts, prepared: ImageFacts) -> pb.BoxMapping:
    orientation = 1
    if prepared.orientation != given.orientation:
        orientation = given.orientation
        _, prepared = turned_back(Box(0, 0, 0, 0), prepared, orientation)
    return pb.BoxMapping(orientation=orientation, scale_x=given.width / prepared.width, scale_y=given.height / prepared.height)
