import pytest

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.media import Box, ImageFacts, PreparationAction, PreparedImage
from gateway.prepare import Alpha, Convert, Operation, OutputFormat, PrepareOptions, map_back
from gateway.rpc.convert_preprocess import read_operation, read_options, write_inspection, write_preparation
from gateway.usecases.preprocessing import ImageEncoding, Inspection, Preparation

DEFAULTS = PrepareOptions()


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (pb.PrepareOptions(), DEFAULTS),
        (pb.PrepareOptions(fit=False), PrepareOptions(fit=False)),
        (pb.PrepareOptions(shrink=False), PrepareOptions(shrink=False)),
        (pb.PrepareOptions(rotate=False), PrepareOptions(rotate=False)),
        (pb.PrepareOptions(strip_metadata=False), PrepareOptions(strip_metadata=False)),
        (pb.PrepareOptions(fit=True, shrink=True, rotate=True, strip_metadata=True, quality=90), DEFAULTS),
        (pb.PrepareOptions(full_decode=True), PrepareOptions(full_decode=True)),
        (pb.PrepareOptions(allow_other_formats=True), PrepareOptions(allow_other_formats=True)),
        (pb.PrepareOptions(max_side=15, max_bytes=1024, quality=1), PrepareOptions(max_side=15, max_bytes=1024, quality=1)),
        (pb.PrepareOptions(convert=pb.CONVERT_NEVER), PrepareOptions(convert=Convert.NEVER)),
        (pb.PrepareOptions(convert=pb.CONVERT_NEEDED), PrepareOptions(convert=Convert.NEEDED)),
        (pb.PrepareOptions(convert=pb.CONVERT_ALWAYS), PrepareOptions(convert=Convert.ALWAYS)),
        (pb.PrepareOptions(alpha=pb.ALPHA_WHITE), DEFAULTS),
        (pb.PrepareOptions(alpha=pb.ALPHA_KEEP), PrepareOptions(alpha=Alpha.KEEP)),
        (pb.PrepareOptions(output_format=pb.OUTPUT_FORMAT_AUTO), DEFAULTS),
        (pb.PrepareOptions(output_format=pb.OUTPUT_FORMAT_PNG), PrepareOptions(output_format=OutputFormat.PNG)),
        (pb.PrepareOptions(output_format=pb.OUTPUT_FORMAT_JPEG), PrepareOptions(output_format=OutputFormat.JPEG)),
    ],
)
def test_options_arrive_and_what_is_not_set_is_the_default(sent, meant) -> None:
    assert read_options(sent) == meant


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (pb.PrepareOptions(max_side=0), "options.max_side"),
        (pb.PrepareOptions(max_side=4097), "options.max_side"),
        (pb.PrepareOptions(max_bytes=0), "options.max_bytes"),
        (pb.PrepareOptions(quality=0), "options.quality"),
        (pb.PrepareOptions(quality=-1), "options.quality"),
        (pb.PrepareOptions(convert=9), "options.convert"),
        (pb.PrepareOptions(alpha=9), "options.alpha"),
        (pb.PrepareOptions(output_format=-1), "options.output_format"),
    ],
)
def test_an_option_out_of_range_is_named(sent, field) -> None:
    with pytest.raises(GatewayError) as caught:
        read_options(sent)
    error = caught.value
    assert (error.reason, error.field) == (Reason.INVALID_ARGUMENT, field)
    assert error.measured in error.message
    assert error.allowed


def test_every_operation_has_its_number() -> None:
    numbers = {read_operation(number) for number in pb.Operation.values()}
    assert numbers == set(Operation)
    assert read_operation(pb.OPERATION_UNSPECIFIED) is Operation.TAGGING
    with pytest.raises(GatewayError, match=r"operation is 9; it must be OPERATION_TAGGING, .* or OPERATION_SUPER_RESOLUTION"):
        read_operation(9)


@pytest.mark.parametrize("color", ["grey", "rgb", "palette", "ycbcr", "cmyk", "ycck", "other"])
def test_every_colour_model_of_the_core_is_in_the_contract(color) -> None:
    encoding = ImageEncoding("baseline", color, 8, has_alpha=True, is_animated=False)
    written = write_inspection(Inspection(GatewayError(Reason.IMAGE_DAMAGED, "torn"), encoding=encoding))
    assert pb.ColorModel.Name(written.encoding.color_model) == f"COLOR_MODEL_{color.upper()}"
    assert written.WhichOneof("verdict") == "refusal"


def prepared(orientation: int, sent_size: tuple[int, int], sent_orientation: int) -> PreparedImage:
    return PreparedImage(
        data=b"x",
        facts=ImageFacts("jpeg", 400, 200, orientation, 9),
        actions=(PreparationAction("fit", "smaller"),),
        sent=ImageFacts("jpeg", *sent_size, sent_orientation, 1),
    )


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("turned", [True, False])
def test_the_mapping_leads_where_our_own_does(orientation, turned) -> None:
    """A box is mapped by the rule that the contract states: undo the orientation, then multiply."""
    size = (50, 100) if turned and orientation >= 5 else (100, 50)
    image = prepared(orientation, size, 1 if turned else orientation)
    mapping = write_preparation(Preparation(image)).mapping
    assert mapping.orientation == (orientation if turned else 1)

    box = Box(left=5, top=7, width=20, height=30)
    right, bottom = size[0] - 25, size[1] - 37
    left, top = {
        1: (5, 7),
        2: (right, 7),
        3: (right, bottom),
        4: (5, bottom),
        5: (7, 5),
        6: (7, right),
        7: (bottom, right),
        8: (bottom, 5),
    }[mapping.orientation]
    width, height = (30, 20) if mapping.orientation >= 5 else (20, 30)
    x, y = mapping.scale_x, mapping.scale_y
    assert map_back(box, image) == Box(left * x, top * y, width * x, height * y)


def test_a_picture_as_it_was_maps_onto_itself() -> None:
    written = write_preparation(Preparation(PreparedImage(b"x", ImageFacts("jpeg", 400, 200, 6, 1)), 0.25))
    assert written.mapping == pb.BoxMapping(orientation=1, scale_x=1, scale_y=1)
    assert written.given == written.prepared
    assert written.prepare_time.ToMilliseconds() == 250
