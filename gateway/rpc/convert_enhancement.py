"""Messages of the enhancement service ↔ the gateway's own values."""

from typing import Final

from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.imagerecognition.v1 import file_pb2, processing_pb2
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    EnhancedImage,
    ProviderReply,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.rpc.convert import EnumTable, read_float, write_info, write_processing
from gateway.usecases.enhancement import CheckedImage

_MODELS: Final = EnumTable(pb.UpscaleModel, UpscaleModel.ESPCN)


def read_dark_enhance(request: pb.EnhanceDarkImageRequest) -> DarkEnhanceParameters:
    """Raises `GatewayError` naming the field that is out of range."""
    return DarkEnhanceParameters(read_float(request.brightness)) if request.HasField("brightness") else DarkEnhanceParameters()


def read_defog(request: pb.DefogImageRequest) -> DefogParameters:
    """Raises `GatewayError` naming the field that is out of range."""
    defaults = DefogParameters()
    return DefogParameters(
        gamma=read_float(request.gamma) if request.HasField("gamma") else defaults.gamma,
        natural_look=request.natural_look if request.HasField("natural_look") else defaults.natural_look,
    )


def read_upscale(request: pb.UpscaleImageRequest) -> UpscaleParameters:
    """Raises `GatewayError` naming the field that is out of range."""
    return UpscaleParameters(
        scale=request.scale if request.HasField("scale") else UpscaleParameters().scale,
        model=_MODELS.read(request.model, "model"),
    )


def write_enhanced(enhanced: EnhancedImage) -> pb.EnhancedImage:
    """The message for one enhanced picture."""
    return pb.EnhancedImage(
        content=enhanced.reply.image,
        image=write_info(enhanced.reply.facts),
        original=write_info(enhanced.facts),
        processing=_write_processing(enhanced),
    )


def write_enhanced_file(enhanced: EnhancedImage, sha256: bytes) -> pb.EnhancedFile:
    """The message for one enhanced picture whose file follows, with that hash."""
    return pb.EnhancedFile(
        file=file_pb2.FileInfo(size_bytes=len(enhanced.reply.image), sha256=sha256),
        image=write_info(enhanced.reply.facts),
        original=write_info(enhanced.facts),
        processing=_write_processing(enhanced),
    )


def write_checked(checked: CheckedImage) -> pb.EnhancedImage:
    """The message for one picture that was only to be checked."""
    return pb.EnhancedImage(original=write_info(checked.facts), processing=_write_check(checked))


def write_checked_file(checked: CheckedImage) -> pb.EnhancedFile:
    """The same before chunks, of which there are none."""
    return pb.EnhancedFile(original=write_info(checked.facts), processing=_write_check(checked))


def _write_processing(enhanced: EnhancedImage) -> processing_pb2.Processing:
    return write_processing(enhanced.reply, enhanced.actions, enhanced.prepare_time)


def _write_check(checked: CheckedImage) -> processing_pb2.Processing:
    return write_processing(ProviderReply(checked.provider, attempts=0), checked.actions, checked.prepare_time)
