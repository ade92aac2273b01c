"""Messages of the preprocess service ↔ the values that Python users see."""

from collections.abc import Iterable

from gateway.client.convert import read_facts
from gateway.client.errors import read_status
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.media import PreparationAction, PreparedImage
from gateway.prepare import Operation, PrepareOptions
from gateway.usecases.preprocessing import ImageEncoding, Inspection, Preparation, PreparationPlan

_COLOR_MODEL = "COLOR_MODEL_"


def write_operation(operation: Operation) -> pb.Operation.ValueType:
    """The contract's number for `operation`."""
    return pb.Operation.Value(f"OPERATION_{operation.name}")


def write_options(options: PrepareOptions) -> pb.PrepareOptions:
    """The message for `options`, every one of them set."""
    return pb.PrepareOptions(
        fit=options.fit,
        shrink=options.shrink,
        rotate=options.rotate,
        convert=pb.Convert.Value(f"CONVERT_{options.convert.name}"),
        strip_metadata=options.strip_metadata,
        full_decode=options.full_decode,
        allow_other_formats=options.allow_other_formats,
        alpha=pb.Alpha.Value(f"ALPHA_{options.alpha.name}"),
        output_format=pb.OutputFormat.Value(f"OUTPUT_FORMAT_{options.output_format.name}"),
        max_side=options.max_side,
        max_bytes=options.max_bytes,
        quality=options.quality,
    )


def read_inspection(response: pb.InspectImageResponse) -> Inspection:
    """What a response says."""
    return Inspection(
        verdict=_read_verdict(response),
        facts=read_facts(response.image) if response.HasField("image") else None,
        encoding=_read_encoding(response.encoding) if response.HasField("encoding") else None,
    )


def read_preparation(preparation: pb.Preparation, data: bytes) -> Preparation:
    """What was done to get `data`."""
    actions = _read_actions(preparation.actions)
    image = PreparedImage(
        data=data,
        facts=read_facts(preparation.given),
        actions=actions,
        sent=read_facts(preparation.prepared) if actions else None,
    )
    return Preparation(image, preparation.prepare_time.ToTimedelta().total_seconds())


def _read_verdict(response: pb.InspectImageResponse) -> PreparationPlan | GatewayError:
    if response.HasField("refusal"):
        return read_status(response.refusal)
    plan = response.plan
    return PreparationPlan(_read_actions(plan.actions), plan.width, plan.height, plan.is_rewritten)


def _read_actions(actions: Iterable[pb.PreparationAction]) -> tuple[PreparationAction, ...]:
    return tuple(PreparationAction(action.name, action.detail) for action in actions)


def _read_encoding(encoding: pb.ImageEncoding) -> ImageEncoding:
    color = encoding.color_model
    return ImageEncoding(
        name=encoding.name,
        # A newer gateway may know more of them.
        color=pb.ColorModel.Name(color).removeprefix(_COLOR_MODEL).lower() if color in pb.ColorModel.values() else "other",
        bit_depth=encoding.bit_depth,
        has_alpha=encoding.has_alpha,
        is_animated=encoding.is_animated,
    )
