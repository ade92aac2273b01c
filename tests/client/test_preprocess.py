"""The client against a scripted server on a real channel, and against the gateway's own service."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable

import grpc
import numpy as np
import pytest
from PIL import Image

from gateway.client import (
    Alpha,
    Convert,
    GatewayError,
    ImageContent,
    ImageUri,
    Item,
    Operation,
    OutputFormat,
    Preparation,
    PrepareOptions,
    PreprocessClient,
    Reason,
    map_back,
)
from gateway.client.convert_preprocess import read_inspection, write_operation, write_options
from gateway.client.pieces import PieceReader
from gateway.imagerecognition.v1 import image_pb2, stream_pb2
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.imagerecognition.v1 import preprocess_pb2_grpc as pb_grpc
from gateway.media import Box, ImageFacts
from gateway.rpc.authentication import Authentication
from gateway.rpc.calls import Calls
from gateway.rpc.convert_preprocess import read_operation, read_options
from gateway.rpc.preprocess import PreprocessServicer
from gateway.rpc.status import to_status
from gateway.usecases.preprocessing import Preprocess
from tests.gates import open_gate

NO_FETCHER = None
FILE = bytes(range(256)) * 20
PIECE = 2000


@pytest.fixture
async def client(preparer) -> AsyncIterator[PreprocessClient]:
    """Of the gateway's own service."""
    servicer = PreprocessServicer(Preprocess(NO_FETCHER, preparer, allow_other_formats=False), Calls(), stream_window=4)
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 16 << 20)], interceptors=[Authentication(open_gate())])
    pb_grpc.add_PreprocessServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with PreprocessClient(f"127.0.0.1:{port}") as client:
        yield client
    await server.stop(None)


class ScriptedServer(pb_grpc.PreprocessServiceServicer):
    """Answers every item with `FILE` in pieces, after the test has had its way with the messages."""

    def __init__(self) -> None:
        self.received: list[pb.StreamPrepareImagesRequest] = []
        self.unary: list[pb.PrepareImageRequest] = []
        self.answer = pb.PrepareImageResponse(preparation=preparation(), content=FILE)
        self.alter = lambda responses: responses
        self.ends_early = False

    async def PrepareImage(self, request, context):
        self.unary.append(request)
        return self.answer

    async def StreamPrepareImages(self, request_iterator, context):
        async for request in request_iterator:
            self.received.append(request)
            if request.HasField("item"):
                for response in self.alter(pieces(request.item.item_id)):
                    yield response
        if not self.ends_early:
            yield pb.StreamPrepareImagesResponse(summary=stream_pb2.StreamSummary())


def preparation(size: int = len(FILE)) -> pb.Preparation:
    return pb.Preparation(
        given=image_pb2.ImageInfo(format="png", width=40, height=20, orientation=6, size_bytes=9000),
        prepared=image_pb2.ImageInfo(format="jpeg", width=10, height=20, orientation=1, size_bytes=size),
        actions=[pb.PreparationAction(name="fit", detail="40x20 px to 20x10 px")],
    )


def pieces(item_id: str) -> list[pb.StreamPrepareImagesResponse]:
    file = pb.PreparedFile(preparation=preparation(), sha256=hashlib.sha256(FILE).digest())
    header = pb.StreamPrepareImagesHeader(item_id=item_id, file=file)
    chunks = [
        pb.StreamPrepareImagesChunk(item_id=item_id, offset=offset, data=FILE[offset : offset + PIECE])
        for offset in range(0, len(FILE), PIECE)
    ]
    return [
        pb.StreamPrepareImagesResponse(header=header),
        *(pb.StreamPrepareImagesResponse(chunk=chunk) for chunk in chunks),
    ]


@pytest.fixture
def script() -> ScriptedServer:
    return ScriptedServer()


@pytest.fixture
async def scripted(script: ScriptedServer) -> AsyncIterator[PreprocessClient]:
    server = grpc.aio.server()
    pb_grpc.add_PreprocessServiceServicer_to_server(script, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with PreprocessClient(f"127.0.0.1:{port}") as client:
        yield client
    await server.stop(None)


def loading(**outcomes: object):
    """Items by name, each giving its outcome, or raising it."""

    def make(outcome: object):
        async def load():
            if isinstance(outcome, GatewayError):
                raise outcome
            return outcome

        return load

    return [(name, make(outcome)) for name, outcome in outcomes.items()]


async def collected(client: PreprocessClient, items, *args: object, **options: object) -> dict[str, Preparation | GatewayError]:
    outcomes = [item async for item in client.prepare_stream(items, *args, **options)]
    assert all(isinstance(item, Item) for item in outcomes)
    assert len({item.item_id for item in outcomes}) == len(outcomes), "an item was answered twice"
    return {item.item_id: item.outcome for item in outcomes}


OPTIONS = PrepareOptions(
    fit=False,
    shrink=False,
    rotate=False,
    convert=Convert.ALWAYS,
    strip_metadata=False,
    full_decode=True,
    allow_other_formats=True,
    alpha=Alpha.KEEP,
    output_format=OutputFormat.PNG,
    max_side=600,
    max_bytes=2000,
    quality=77,
)


@pytest.mark.parametrize("options", [PrepareOptions(), OPTIONS])
def test_the_gateway_reads_the_options_that_were_written(options) -> None:
    assert read_options(write_options(options)) == options


@pytest.mark.parametrize("operation", Operation)
def test_the_gateway_reads_the_operation_that_was_written(operation) -> None:
    assert read_operation(write_operation(operation)) is operation


async def test_inspecting_gives_facts_encoding_and_plan(client, dog) -> None:
    inspection = await client.inspect(ImageContent(dog), PrepareOptions(max_side=400))
    assert inspection.facts == ImageFacts("jpeg", 800, 600, 1, len(dog))
    assert (inspection.encoding.name, inspection.encoding.color, inspection.encoding.bit_depth) == ("progressive", "ycbcr", 8)
    plan = inspection.verdict
    assert (plan.width, plan.height, [str(action) for action in plan.actions]) == (400, 300, ["fit: 800x600 px to 400x300 px"])


async def test_inspecting_a_bad_picture_gives_a_typed_refusal(client) -> None:
    inspection = await client.inspect(ImageContent(b"GIF89a....."))
    assert inspection.verdict.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    assert (inspection.facts, inspection.encoding) == (None, None)


def test_a_colour_model_of_a_newer_gateway_is_another_one() -> None:
    encoding = pb.ImageEncoding(name="x", color_model=99)
    assert read_inspection(pb.InspectImageResponse(encoding=encoding)).encoding.color == "other"


async def test_preparing_gives_the_file_and_the_way_back(client, photos) -> None:
    data = (photos / "phone-dogs.jpg").read_bytes()
    preparation = await client.prepare(ImageContent(data), PrepareOptions(max_side=600), operation=Operation.DEFOG, timeout=10)
    image = preparation.image
    with Image.open(io.BytesIO(image.data)) as picture:
        assert picture.size == (image.sent.width, image.sent.height) == (416, 600)
    assert [action.name for action in image.actions] == ["fit", "rotate"]
    assert map_back(Box(0, 0, 416, 600), image) == Box(0, 0, 1200, 831)
    assert preparation.prepare_time > 0


async def test_a_picture_that_needs_nothing_is_the_one_that_was_given(client, dog) -> None:
    image = (await client.prepare(ImageContent(dog))).image
    assert image.data is dog
    assert (image.sent, image.actions) == (None, ())


async def test_a_bad_option_is_refused_before_a_call(client) -> None:
    with pytest.raises(GatewayError, match=r"options\.quality is 0"):
        await client.prepare(ImageContent(b"x"), PrepareOptions(quality=0))


@pytest.fixture(scope="module")
def long_photo() -> bytes:
    """Over 4 MiB, with metadata to strip."""
    exif = Image.Exif()
    exif[0x010E] = "a description"
    buffer = io.BytesIO()
    Image.frombytes("L", (3200, 3200), np.random.default_rng(7).bytes(3200 * 3200)).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


async def test_a_long_file_comes_over_the_stream_only(client, long_photo, dog) -> None:
    with pytest.raises(GatewayError) as caught:
        await client.prepare(ImageContent(long_photo))
    assert (caught.value.reason, caught.value.field) == (Reason.RESULT_TOO_LARGE, "options.max_bytes")
    items = loading(
        long=ImageContent(long_photo), dog=ImageContent(dog), bad=ImageContent(b"x" * 100), again=ImageContent(long_photo)
    )
    outcomes = await collected(client, items, in_order=True)
    assert list(outcomes) == ["long", "dog", "bad", "again"]
    image = outcomes["long"].image
    assert len(image.data) == image.sent.size_bytes > 5 << 20
    assert outcomes["again"].image.data == image.data
    assert outcomes["dog"].image.data is dog
    assert outcomes["bad"].reason is Reason.IMAGE_FORMAT_UNSUPPORTED


async def test_the_stream_s_settings_arrive(scripted, script) -> None:
    await collected(scripted, loading(a=ImageContent(b"x")), OPTIONS, operation=Operation.SUPER_RESOLUTION, in_order=True)
    config = script.received[0].config
    assert read_options(config.options) == OPTIONS
    assert (config.operation, config.order) == (pb.OPERATION_SUPER_RESOLUTION, stream_pb2.RESULT_ORDER_AS_SENT)
    assert script.received[1].item == pb.StreamPrepareImagesItem(item_id="a", content=b"x")


async def test_pieces_are_put_together(scripted) -> None:
    outcomes = await collected(scripted, loading(a=ImageContent(b"x"), b=ImageUri("https://example.org/")))
    for outcome in outcomes.values():
        assert outcome.image.data == FILE
        assert outcome.image.sent == ImageFacts("jpeg", 10, 20, 1, len(FILE))
        assert [action.name for action in outcome.image.actions] == ["fit"]


def tampered_hash(responses):
    responses[0].header.file.sha256 = hashlib.sha256(b"").digest()
    return responses


def tampered_data(responses):
    responses[2].chunk.data = bytes(len(responses[2].chunk.data))
    return responses


def false_unchanged(responses):
    responses[0].header.file.unchanged = True
    return responses[:1]


@pytest.mark.parametrize("alter", [tampered_hash, tampered_data, false_unchanged])
async def test_a_file_that_is_not_the_one_announced_fails_alone(scripted, script, alter) -> None:
    def second_only(responses):
        return alter(responses) if responses[0].header.item_id == "b" else responses

    script.alter = second_only
    outcomes = await collected(scripted, loading(a=ImageContent(b"x"), b=ImageContent(b"y"), c=ImageContent(b"z")))
    assert outcomes["b"].reason is Reason.INTERNAL
    assert "SHA-256" in outcomes["b"].message
    assert outcomes["a"].image.data == outcomes["c"].image.data == FILE


def without_a_piece(responses):
    return [*responses[:2], *responses[3:]]


def twice_a_piece(responses):
    return [*responses[:2], *responses[1:]]


def a_piece_of_another(responses):
    responses[2].chunk.item_id = "other"
    return responses


def a_piece_too_many(responses):
    return [*responses, responses[-1]]


def an_empty_piece(responses):
    empty = pb.StreamPrepareImagesChunk(item_id=responses[2].chunk.item_id, offset=responses[2].chunk.offset)
    return [*responses[:2], pb.StreamPrepareImagesResponse(chunk=empty), *responses[2:]]


def swapped_pieces(responses):
    return [responses[0], responses[2], responses[1], *responses[3:]]


def a_piece_too_long(responses):
    responses[-1].chunk.data += b"x"
    return responses


def without_header(responses):
    return responses[1:]


def cut_short(responses):
    return responses[:-1]


@pytest.mark.parametrize(
    "alter",
    [
        without_a_piece,
        twice_a_piece,
        a_piece_of_another,
        a_piece_too_many,
        an_empty_piece,
        swapped_pieces,
        a_piece_too_long,
        without_header,
        cut_short,
    ],
)
async def test_a_stream_that_breaks_the_contract_ends_and_every_item_is_answered(scripted, script, alter) -> None:
    script.alter = alter
    items = loading(**{name: ImageContent(name.encode()) for name in "abcdef"})
    outcomes = await asyncio.wait_for(collected(scripted, items), 10)
    assert sorted(outcomes) == list("abcdef")
    failures = [outcome for outcome in outcomes.values() if isinstance(outcome, GatewayError)]
    assert len(failures) >= 5
    assert {(failure.reason, failure.message) for failure in failures} == {
        (Reason.INTERNAL, "the gateway's answer is not one of the contract's")
    }


async def test_a_stream_that_ends_within_a_file_leaves_no_item_without_an_answer(scripted, script) -> None:
    script.alter, script.ends_early = cut_short, True
    outcomes = await collected(scripted, loading(a=ImageContent(b"x")))
    assert outcomes["a"].reason is Reason.UNAVAILABLE


async def test_what_a_newer_gateway_adds_is_passed_over(scripted, script) -> None:
    script.alter = lambda responses: [responses[0], pb.StreamPrepareImagesResponse(), *responses[1:]]
    assert (await collected(scripted, loading(a=ImageContent(b"x"))))["a"].image.data == FILE


async def test_an_item_s_error_is_typed_and_what_cannot_be_loaded_is_not_sent(scripted, script) -> None:
    def refuse(responses):
        error = to_status(GatewayError(Reason.IMAGE_DAMAGED, "torn"))
        return [pb.StreamPrepareImagesResponse(header=pb.StreamPrepareImagesHeader(item_id="a", error=error))]

    script.alter = refuse
    unreadable = GatewayError(Reason.INVALID_ARGUMENT, "no such file")
    outcomes = await collected(scripted, loading(a=ImageContent(b"x"), b=unreadable))
    assert (outcomes["a"].reason, outcomes["a"].message, outcomes["b"]) == (Reason.IMAGE_DAMAGED, "torn", unreadable)
    assert len(script.received) == 2


async def test_unchanged_for_a_url_is_no_answer(scripted, script) -> None:
    script.answer = pb.PrepareImageResponse(preparation=preparation(), unchanged=True)
    with pytest.raises(GatewayError) as caught:
        await scripted.prepare(ImageUri("https://example.org/"))
    assert caught.value.reason is Reason.INTERNAL
    script.alter = false_unchanged
    outcomes = await collected(scripted, loading(a=ImageUri("https://example.org/")))
    assert outcomes["a"].reason is Reason.INTERNAL


async def test_the_same_id_twice_is_answered_twice(client, dog, photos) -> None:
    items = [*loading(a=ImageContent(dog)), *loading(a=ImageContent((photos / "bee.jpg").read_bytes()))]
    outcomes = [item.outcome async for item in client.prepare_stream(items, in_order=True)]
    assert [outcome.image.facts.width for outcome in outcomes] == [800, 900]


class ShufflingServer(pb_grpc.PreprocessServiceServicer):
    """Hears all items, then answers in another order. `1` is a change that was made, `!` a failure, `=` nothing."""

    def __init__(self) -> None:
        self.order: tuple[int, ...] = ()
        self.outcomes = ""

    async def StreamPrepareImages(self, request_iterator, context):
        items = [request.item async for request in request_iterator if request.HasField("item")]
        for index in self.order:
            for response in self.answered(items[index], self.outcomes[index]):
                yield response
        yield pb.StreamPrepareImagesResponse(summary=stream_pb2.StreamSummary())

    def answered(self, item, outcome):
        if outcome == "!":
            error = to_status(GatewayError(Reason.IMAGE_DAMAGED, "torn"))
            return [pb.StreamPrepareImagesResponse(header=pb.StreamPrepareImagesHeader(item_id=item.item_id, error=error))]
        if outcome != "=":
            return pieces(item.item_id)
        info = image_pb2.ImageInfo(format="png", width=1, height=1, orientation=1, size_bytes=len(item.content))
        file = pb.PreparedFile(
            preparation=pb.Preparation(given=info, prepared=info), sha256=hashlib.sha256(item.content).digest(), unchanged=True
        )
        return [pb.StreamPrepareImagesResponse(header=pb.StreamPrepareImagesHeader(item_id=item.item_id, file=file))]


@pytest.fixture
async def shuffled() -> AsyncIterator[Callable[..., Awaitable[list[bytes | Reason]]]]:
    """Prepares pictures that all have the id x; gives what came of them, in the order in which it came."""
    servicer = ShufflingServer()
    server = grpc.aio.server()
    pb_grpc.add_PreprocessServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()

    async def run(sources, order, outcomes, **options):
        servicer.order, servicer.outcomes = order, outcomes
        items = [item for source in sources for item in loading(x=source)]
        async with PreprocessClient(f"127.0.0.1:{port}") as client:
            settled = [item async for item in client.prepare_stream(items, **options)]
        assert [item.item_id for item in settled] == ["x"] * len(items)
        return [it.outcome.reason if isinstance(it.outcome, GatewayError) else it.outcome.image.data for it in settled]

    yield run
    await server.stop(None)


ALIKE = [ImageContent(bytes([number]) * 9) for number in range(4)]
"""Not to be told apart by their lengths."""


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 2, 0), (2, 3, 0, 1), (1, 3, 0, 2)])
@pytest.mark.parametrize("outcomes", ["====", "1===", "=!1=", "!!==", "11!="])
async def test_an_id_that_is_used_again_gives_each_picture_its_own_file(shuffled, order, outcomes) -> None:
    expected = {"1": FILE, "!": Reason.IMAGE_DAMAGED}
    assert await shuffled(ALIKE, order, outcomes) == [expected.get(outcomes[index], ALIKE[index].data) for index in order]


async def test_what_cannot_be_loaded_keeps_its_place_among_others_of_its_id(shuffled) -> None:
    unreadable = GatewayError(Reason.INVALID_ARGUMENT, "no such file")
    found = await shuffled([ALIKE[0], unreadable, ALIKE[1]], (0, 1), "==", in_order=True)
    assert found == [ALIKE[0].data, Reason.INVALID_ARGUMENT, ALIKE[1].data]


def unchanged(item_id: str, data: bytes) -> pb.StreamPrepareImagesResponse:
    file = pb.PreparedFile(sha256=hashlib.sha256(data).digest(), unchanged=True)
    return pb.StreamPrepareImagesResponse(header=pb.StreamPrepareImagesHeader(item_id=item_id, file=file))


@pytest.mark.parametrize("in_order", [True, False])
def test_no_picture_is_held_once_all_of_its_id_are_answered(in_order) -> None:
    reader = PieceReader(in_order=in_order)
    error = to_status(GatewayError(Reason.IMAGE_DAMAGED, "torn"))
    torn = pb.StreamPrepareImagesResponse(header=pb.StreamPrepareImagesHeader(item_id="x", error=error))
    for _ in range(2):
        for data in (b"a", b"b", b"c"):
            reader.expect("x", ImageContent(data))
        for answer in (torn, unchanged("x", b"b"), torn):
            assert reader.read(answer) is not None
        assert reader._sent == {}


@pytest.mark.parametrize("in_order", [True, False])
def test_unchanged_is_never_a_picture_that_was_not_sent(in_order) -> None:
    reader = PieceReader(in_order=in_order)
    reader.expect("x", ImageUri("https://example.org/"))
    reader.expect("x", ImageContent(b"b"))
    for data in (b"", b"a", b"b"):
        _, outcome = reader.read(unchanged("x", data))
        assert outcome.reason is Reason.INTERNAL
    assert reader._sent == {}


async def test_stopping_early_cancels_the_call(scripted, script) -> None:
    stream = scripted.prepare_stream(loading(**{name: ImageContent(b"x") for name in "abcdef"}))
    assert (await anext(stream)).outcome.image.data == FILE
    await asyncio.wait_for(stream.aclose(), 5)
