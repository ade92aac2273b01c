"""Messages of the enhancement service ↔ the gateway's own values."""

from typing import Final

from gateway.imagerecognition.v1 import enhancement_pb2 as pb
from gateway.media import DarkEnhanceParameters, DefogParameters, EnhancedImage, UpscaleModel, UpscaleParameters
from gateway.rpc.convert import EnumTable, read_float, write_info, write_processing

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
        processing=write_processing(enhanced.reply, enhanced.actions, enhanced.prepare_time),
    )
