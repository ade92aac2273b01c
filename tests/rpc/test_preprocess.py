"""PreprocessService through a real channel, with the client's default limit of 4 MiB a message."""

import asyncio
import hashlib
import io

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from PIL import Image

from gateway.errors import GatewayError, Reason
from gateway.imagerecognition.v1 import preprocess_pb2 as pb
from gateway.imagerecognition.v1 import preprocess_pb2_grpc as pb_grpc
from gateway.imagerecognition.v1 import stream_pb2
from gateway.media import ImageContent
from gateway.rpc.chunks import CHUNK_BYTES, MAX_REPLY_BYTES
from gateway.rpc.status import CODES, to_status
from gateway.usecases.preprocessing import Preprocess

WINDOW = 4  # as the fixture sets it
URI = "https://example.org/x.jpg"
FOREIGN = pb.PrepareOptions(allow_other_formats=True)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def long_photo() -> bytes:
    """About 6 MB, with metadata to strip: the prepared file is as long, and nothing has to be decoded."""
    exif = Image.Exif()
    exif[0x010E] = "a description"
    picture = Image.frombytes("L", (3200, 3200), np.random.default_rng(7).bytes(3200 * 3200))
    data = encoded(picture, "JPEG", quality=78, exif=exif)
    assert MAX_REPLY_BYTES + (1 << 20) < len(data) < 7_800_000
    return data


async def failure(call: object) -> tuple[grpc.StatusCode, error_details_pb2.ErrorInfo, str]:
    """The status of a call that must fail: its code, its info, the field at fault."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    status = rpc_status.from_call(caught.value)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    field = bad.field_violations[0].field if len(status.details) > 1 and status.details[1].Unpack(bad) else ""
    return caught.value.code(), info, field


async def test_inspecting_tells_facts_encoding_and_plan(preprocess_stub, photos) -> None:
    data = (photos / "phone-dogs.jpg").read_bytes()
    options = pb.PrepareOptions(max_side=600)
    response = await preprocess_stub.InspectImage(pb.InspectImageRequest(content=data, options=options))
    image = response.image
    assert (image.format, image.width, image.height, image.orientation, image.size_bytes) == ("jpeg", 1200, 831, 6, len(data))
    assert response.encoding == pb.ImageEncoding(name="progressive", color_model=pb.COLOR_MODEL_YCBCR, bit_depth=8)
    plan = response.plan
    assert [action.name for action in plan.actions] == ["fit", "rotate"]
    assert (plan.width, plan.height, plan.is_rewritten) == (416, 600, True)


async def test_inspecting_a_bad_picture_is_an_answer(preprocess_stub, bad_pictures) -> None:
    for data, reason in bad_pictures.values():
        response = await preprocess_stub.InspectImage(pb.InspectImageRequest(content=data))
        info = error_details_pb2.ErrorInfo()
        assert response.refusal.details[0].Unpack(info)
        assert info.reason == reason
        code, prepared, _ = await failure(preprocess_stub.PrepareImage(pb.PrepareImageRequest(content=data)))
        assert (code.value[0], prepared) == (response.refusal.code, info)


@pytest.mark.parametrize(
    ("more", "reason", "field"),
    [
        ({}, "INVALID_ARGUMENT", "source"),
        ({"content": b"x", "operation": 9}, "INVALID_ARGUMENT", "operation"),
        ({"content": b"x", "options": pb.PrepareOptions(quality=0)}, "INVALID_ARGUMENT", "options.quality"),
        ({"content": b"x", "options": pb.PrepareOptions(convert=7)}, "INVALID_ARGUMENT", "options.convert"),
        (
            {"content": b"x", "options": pb.PrepareOptions(allow_other_formats=True)},
            "INVALID_ARGUMENT",
            "options.allow_other_formats",
        ),
        ({"uri": "ftp://example.org/"}, "URI_INVALID", "uri"),
    ],
)
async def test_a_request_at_fault_fails_both_calls(preprocess_stub, more, reason, field) -> None:
    for call in (
        preprocess_stub.InspectImage(pb.InspectImageRequest(**more)),
        preprocess_stub.PrepareImage(pb.PrepareImageRequest(**more)),
    ):
        code, info, named = await failure(call)
        assert (code, info.reason, named) == (grpc.StatusCode.INVALID_ARGUMENT, reason, field)


async def test_a_url_that_leads_nowhere_fails_both_calls(preprocess_stub) -> None:
    for call in (
        preprocess_stub.InspectImage(pb.InspectImageRequest(uri=URI)),
        preprocess_stub.PrepareImage(pb.PrepareImageRequest(uri=URI)),
    ):
        code, info, _ = await failure(call)
        assert (code, info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "URI_DOWNLOAD_FAILED")


async def test_preparing_returns_the_file_and_what_was_done(preprocess_stub, photos) -> None:
    data = (photos / "phone-dogs.jpg").read_bytes()
    options = pb.PrepareOptions(max_side=600)
    response = await preprocess_stub.PrepareImage(pb.PrepareImageRequest(content=data, options=options))
    preparation = response.preparation
    with Image.open(io.BytesIO(response.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (416, 600))
        assert (preparation.prepared.format, preparation.prepared.width, preparation.prepared.height) == ("jpeg", 416, 600)
    assert (preparation.given.width, preparation.given.height, preparation.given.orientation) == (1200, 831, 6)
    assert preparation.prepared.size_bytes == len(response.content)
    assert [action.name for action in preparation.actions] == ["fit", "rotate"]
    mapping = preparation.mapping
    assert (mapping.orientation, mapping.scale_x, mapping.scale_y) == (6, 2.0, 831 / 416)
    assert preparation.prepare_time.ToNanoseconds() > 0


async def test_a_picture_that_needs_nothing_is_not_sent_back(preprocess_stub, dog) -> None:
    response = await preprocess_stub.PrepareImage(pb.PrepareImageRequest(content=dog))
    assert response.WhichOneof("file") == "unchanged"
    assert response.unchanged
    assert response.preparation.given == response.preparation.prepared
    assert response.ByteSize() < 200


async def test_a_picture_that_the_caller_does_not_have_is_returned(preprocess_stub, fetcher, dog) -> None:
    fetcher.files[URI] = dog
    response = await preprocess_stub.PrepareImage(pb.PrepareImageRequest(uri=URI))
    assert (response.WhichOneof("file"), response.content) == ("content", dog)
    assert not response.preparation.actions


async def test_the_operation_decides(preprocess_stub, photos) -> None:
    data = (photos / "hens.webp").read_bytes()
    request = pb.PrepareImageRequest(content=data, operation=pb.OPERATION_SUPER_RESOLUTION)
    assert (await preprocess_stub.PrepareImage(request)).preparation.prepared.format == "jpeg"


async def test_a_reply_that_a_client_would_refuse_is_not_sent_and_says_how_to_get_it(preprocess_stub, long_photo) -> None:
    code, info, field = await failure(preprocess_stub.PrepareImage(pb.PrepareImageRequest(content=long_photo)))
    assert (code, info.reason, field) == (grpc.StatusCode.OUT_OF_RANGE, "RESULT_TOO_LARGE", "options.max_bytes")
    assert info.metadata["allowed"] == f"at most {MAX_REPLY_BYTES} bytes"
    options = pb.PrepareOptions(max_bytes=MAX_REPLY_BYTES)
    response = await preprocess_stub.PrepareImage(pb.PrepareImageRequest(content=long_photo, options=options))
    assert 1 << 20 < len(response.content) <= MAX_REPLY_BYTES


async def test_the_longest_reply_that_is_sent_is_taken(preprocess_stub, monkeypatch, preprocess, dog) -> None:
    """A file of exactly the limit, whatever else the message holds."""

    async def prepare(*_: object):
        preparation = await Preprocess.prepare(preprocess, *_)
        image = preparation.image
        return type(preparation)(type(image)(bytes(MAX_REPLY_BYTES), image.facts, image.actions, image.facts), 1.0)

    monkeypatch.setattr(preprocess, "prepare", prepare)
    response = await preprocess_stub.PrepareImage(pb.PrepareImageRequest(content=dog))
    assert len(response.content) == MAX_REPLY_BYTES


def item(item_id: str, data: bytes, **more: object) -> pb.StreamPrepareImagesRequest:
    return pb.StreamPrepareImagesRequest(item=pb.StreamPrepareImagesItem(item_id=item_id, content=data, **more))


def config(**settings: object) -> pb.StreamPrepareImagesRequest:
    return pb.StreamPrepareImagesRequest(config=pb.StreamPrepareImagesConfig(**settings))


async def exchange(stub, requests) -> tuple[dict[str, tuple[pb.StreamPrepareImagesHeader, bytes]], stream_pb2.StreamSummary]:
    """Put together what came for each item. Each chunk must follow its header, or the chunk before it."""
    items: dict[str, tuple[pb.StreamPrepareImagesHeader, bytes]] = {}
    header = summary = None
    async for response in stub.StreamPrepareImages(iter(requests)):
        assert summary is None, "the summary is the last message"
        match response.WhichOneof("payload"):
            case "header":
                header = response.header
                assert header.item_id not in items, "an item was answered twice"
                items[header.item_id] = (header, b"")
            case "chunk":
                _, data = items[header.item_id]
                chunk = response.chunk
                assert (chunk.item_id, chunk.offset) == (header.item_id, len(data))
                assert 0 < len(chunk.data) <= CHUNK_BYTES
                items[header.item_id] = (header, data + chunk.data)
            case _:
                summary = response.summary
    for header, data in items.values():
        if header.HasField("file") and not header.file.unchanged:
            assert hashlib.sha256(data).digest() == header.file.sha256
            assert len(data) == header.file.preparation.prepared.size_bytes
        else:
            assert data == b""
    return items, summary


async def test_a_long_file_comes_in_pieces_to_a_client_with_the_default_limit(preprocess_stub, long_photo, dog) -> None:
    items, summary = await exchange(preprocess_stub, [item("long", long_photo), item("dog", dog), item("again", long_photo)])
    header, data = items["long"]
    assert len(data) > 5 << 20
    assert items["again"][1] == data
    assert [action.name for action in header.file.preparation.actions] == ["strip_metadata"]
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (3200, 3200)
        assert not picture.getexif()
    unchanged = items["dog"][0].file
    assert (unchanged.unchanged, unchanged.sha256) == (True, hashlib.sha256(dog).digest())
    assert (summary.received, summary.succeeded, summary.failed) == (3, 3, 0)
    assert summary.elapsed.ToNanoseconds() > 0


async def test_bad_pictures_fail_alone(preprocess_stub, dog, bad_pictures, fetcher) -> None:
    fetcher.files[URI] = dog
    requests = [item(name, data) for name, (data, _) in bad_pictures.items()]
    requests.insert(2, item("good-1", dog))
    requests += [
        pb.StreamPrepareImagesRequest(item=pb.StreamPrepareImagesItem(item_id="nothing")),
        pb.StreamPrepareImagesRequest(item=pb.StreamPrepareImagesItem(item_id="nowhere", uri=f"{URI}x")),
        item("foreign", dog, options=FOREIGN),
        item("y" * 1025, dog),
        pb.StreamPrepareImagesRequest(item=pb.StreamPrepareImagesItem(item_id="good-2", uri=URI)),
    ]
    items, summary = await exchange(preprocess_stub, requests)
    expected = {name: reason for name, (_, reason) in bad_pictures.items()}
    expected |= {"nowhere": "URI_DOWNLOAD_FAILED"} | dict.fromkeys(("nothing", "foreign", "y" * 1025), "INVALID_ARGUMENT")
    reasons = {}
    for name, (header, _) in items.items():
        info = error_details_pb2.ErrorInfo()
        if header.HasField("error"):
            assert header.error.details[0].Unpack(info)
            reasons[name] = info.reason
    assert reasons == expected
    assert items["good-1"][0].file.unchanged
    assert items["good-2"][1] == dog
    assert (summary.received, summary.succeeded, summary.failed) == (len(requests), 2, len(expected))


async def test_an_item_s_options_replace_the_stream_s(preprocess_stub, dog) -> None:
    requests = [
        config(options=pb.PrepareOptions(max_side=100, quality=50), operation=pb.OPERATION_DEFOG),
        item("stream", dog),
        item("own", dog, options=pb.PrepareOptions(max_side=200)),
        item("none", dog, options=pb.PrepareOptions()),
    ]
    items, _ = await exchange(preprocess_stub, requests)
    widths = {name: header.file.preparation.prepared.width for name, (header, _) in items.items()}
    assert widths == {"stream": 100, "own": 200, "none": 800}


async def test_results_come_in_order_on_request(preprocess_stub, long_photo, dog) -> None:
    """The first takes longest: it is decoded, the others are passed on."""
    slow = pb.PrepareOptions(full_decode=True)
    requests = [config(order=stream_pb2.RESULT_ORDER_AS_SENT), item("0", long_photo, options=slow)]
    requests += [item(str(n), dog) for n in range(1, 10)]
    items, _ = await exchange(preprocess_stub, requests)
    assert list(items) == [str(n) for n in range(10)]


async def test_results_come_as_they_complete(preprocess_stub, long_photo, dog) -> None:
    slow = pb.PrepareOptions(full_decode=True)
    items, _ = await exchange(preprocess_stub, [item("slow", long_photo, options=slow), item("quick", dog)])
    assert list(items) == ["quick", "slow"]


@pytest.mark.parametrize(
    ("requests", "field"),
    [
        ([config(), config()], "config"),
        ([pb.StreamPrepareImagesRequest()], "payload"),
        ([config(order=9)], "config.order"),
        ([config(operation=9)], "config.operation"),
        ([config(options=pb.PrepareOptions(max_side=1))], "config.options.max_side"),
        ([config(options=FOREIGN)], "config.options.allow_other_formats"),
    ],
)
async def test_a_broken_protocol_ends_the_stream_and_says_why(preprocess_stub, requests, field) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await exchange(preprocess_stub, requests)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith((field, f"{field} "))
    bad = error_details_pb2.BadRequest()
    assert rpc_status.from_call(caught.value).details[1].Unpack(bad)
    assert bad.field_violations[0].field == field


class Held:
    """Holds every picture back until it is released."""

    def __init__(self, preprocess: Preprocess) -> None:
        self._prepare = preprocess.prepare
        self.under_way = self.most = self.taken = 0
        self.full, self.empty, self.release = asyncio.Event(), asyncio.Event(), asyncio.Event()
        preprocess.prepare = self  # type: ignore[method-assign]

    async def __call__(self, source: ImageContent, operation, options):
        self.taken += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way == WINDOW:
            self.full.set()
        try:
            await self.release.wait()
            return await self._prepare(source, operation, options)
        finally:
            self.under_way -= 1
            if not self.under_way:
                self.empty.set()


async def test_the_window_bounds_what_is_under_way(preprocess_stub, preprocess, dog) -> None:
    held = Held(preprocess)
    call = asyncio.create_task(exchange(preprocess_stub, [item(str(n), dog) for n in range(30)]))
    await asyncio.wait_for(held.full.wait(), 5)
    held.release.set()
    _, summary = await call
    assert held.most == WINDOW
    assert summary.succeeded == 30


async def test_a_client_that_does_not_read_holds_back_the_stream(preprocess_stub, preprocess, long_photo) -> None:
    """Flow control lets some megabytes pass, as buffers on the way; what is behind it is not even begun."""
    held = Held(preprocess)
    held.release.set()
    call = preprocess_stub.StreamPrepareImages(iter([item(str(n), long_photo) for n in range(40)]))
    await call.read()
    taken = -1
    while taken != held.taken:
        taken = held.taken
        await asyncio.sleep(0.2)
    assert taken < 40 - WINDOW
    count = 1
    while (response := await call.read()) is not grpc.aio.EOF:
        count += response.HasField("header")
    assert count == 40


async def test_cancelling_the_stream_cancels_its_items(preprocess_stub, preprocess, dog) -> None:
    held = Held(preprocess)
    call = preprocess_stub.StreamPrepareImages(iter([item(str(n), dog) for n in range(10)]))
    reading = asyncio.create_task(call.read())
    await asyncio.wait_for(held.full.wait(), 5)
    call.cancel()
    await asyncio.wait_for(held.empty.wait(), 5)
    assert held.taken == WINDOW
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize("reason", Reason)
async def test_every_failure_is_told_by_all_calls(preprocess_stub, preprocess, dog, reason) -> None:
    async def fails(*_: object) -> None:
        raise GatewayError(reason, "what is wrong")

    preprocess.prepare = preprocess.inspect = fails
    for call in (
        preprocess_stub.PrepareImage(pb.PrepareImageRequest(content=dog)),
        preprocess_stub.InspectImage(pb.InspectImageRequest(content=dog)),
    ):
        code, info, _ = await failure(call)
        assert (code, info.reason) == (CODES[reason], reason)
    items, summary = await exchange(preprocess_stub, [item("x", dog)])
    assert items["x"][0].error == to_status(GatewayError(reason, "what is wrong"))
    assert summary.failed == 1


@pytest.mark.parametrize("way", ["unary", "stream"])
async def test_a_fault_of_ours_shows_no_detail_but_a_key_to_the_log(preprocess_stub, preprocess, dog, caplog, way) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("/etc/secret")

    preprocess.prepare = broken
    if way == "unary":
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await preprocess_stub.PrepareImage(pb.PrepareImageRequest(content=dog))
        message = caught.value.details()
    else:
        items, summary = await exchange(preprocess_stub, [item("x", dog)])
        message = items["x"][0].error.message
        assert summary.failed == 1
    assert "secret" not in message
    incident = message.rsplit(" ", 1)[1]
    assert any(incident in record.getMessage() for record in caplog.records)


async def test_a_picture_over_the_default_limit_of_grpc_is_taken(preprocess_stub, long_photo) -> None:
    response = await preprocess_stub.InspectImage(pb.InspectImageRequest(content=long_photo))
    assert response.image.size_bytes == len(long_photo)


async def forever(call) -> None:
    while True:
        await call()


async def test_calls_are_counted_by_the_drain(make_server, preprocess, dog) -> None:
    held = Held(preprocess)
    server = make_server(drain_timeout=30)
    address = await server.start("127.0.0.1:0")
    async with grpc.aio.insecure_channel(address) as channel:
        stub = pb_grpc.PreprocessServiceStub(channel)
        calls = [asyncio.ensure_future(stub.PrepareImage(pb.PrepareImageRequest(content=dog))) for _ in range(WINDOW)]
        await asyncio.wait_for(held.full.wait(), 5)
        draining = asyncio.create_task(server.drain())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await forever(lambda: stub.InspectImage(pb.InspectImageRequest(content=b""), timeout=30))
        # gRPC cancels what comes between the server's good-bye and the client's reading of it.
        assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert not draining.done()
        held.release.set()
        assert all(response.unchanged for response in await asyncio.gather(*calls))
        await asyncio.wait_for(draining, 10)
