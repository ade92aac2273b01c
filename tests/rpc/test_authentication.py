"""Callers and tenants over real channels, through every kind of call."""

import asyncio
import hashlib
import time

import grpc
import pytest
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_status import rpc_status
from prometheus_client import CollectorRegistry

from gateway.access.api_keys import ApiKeyAuthenticator
from gateway.access.authenticator import Authentication
from gateway.access.gate import Gate
from gateway.access.key_text import new_key
from gateway.access.metrics import AccessMetrics
from gateway.access.operations import Operation
from gateway.access.tenants import KeyRecord, Limits, Roster, Tenant
from gateway.imagerecognition.v1 import (
    enhancement_pb2,
    enhancement_pb2_grpc,
    file_pb2,
    gateway_pb2,
    gateway_pb2_grpc,
    music_pb2,
    music_pb2_grpc,
    preprocess_pb2,
    preprocess_pb2_grpc,
    tagging_pb2,
    tagging_pb2_grpc,
)
from gateway.media import TaggingReply
from gateway.rpc.authentication import operations

KEY = new_key()
BY_KEY = (("x-api-key", KEY.text),)


class World:
    """A tenant whose limits can be changed, and what is counted."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.limits = Limits("gold")
        self.may_act_for: frozenset[str] = frozenset()

    def roster(self) -> Roster:
        tenants = {"shop": Tenant("shop", self.limits, self.may_act_for)}
        return Roster(tenants=tenants, keys={KEY.id: KeyRecord("shop", KEY.hash)})

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"image_gateway_{name}", labels) or 0.0


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def gate(world) -> Gate:
    authentication = Authentication([ApiKeyAuthenticator(world.roster, time.time)], allow_anonymous=False)
    return Gate(authentication, world.roster, AccessMetrics(world.registry), time.monotonic)


async def _upload(data: bytes, message, config, **more):
    file = file_pb2.FileInfo(size_bytes=len(data), sha256=hashlib.sha256(data).digest())
    yield message(config=config(upload=file, **more))
    yield message(chunk=file_pb2.FileChunk(offset=0, data=data))


class Calls:
    """Every method of the contract, as a coroutine that sends one picture (or recording) and ends with the call."""

    def __init__(self, channel: grpc.aio.Channel, dog: bytes) -> None:
        self._tagging = tagging_pb2_grpc.TaggingServiceStub(channel)
        self._enhancement = enhancement_pb2_grpc.EnhancementServiceStub(channel)
        self._music = music_pb2_grpc.MusicServiceStub(channel)
        self._preprocess = preprocess_pb2_grpc.PreprocessServiceStub(channel)
        self._info = gateway_pb2_grpc.GatewayServiceStub(channel)
        self._dog = dog

    async def __call__(self, method: str, metadata) -> None:  # noqa: C901, PLR0912  # a table
        dog = self._dog
        match method:
            case "TagImage":
                await self._tagging.TagImage(tagging_pb2.TagImageRequest(content=dog), metadata=metadata)
            case "BatchTagImages":
                batch = tagging_pb2.BatchTagImagesRequest(requests=[tagging_pb2.TagImageRequest(content=dog)])
                reply = await self._tagging.BatchTagImages(batch, metadata=metadata)
                self._check(reply.results[0])
            case "StreamTagImages":
                item = tagging_pb2.StreamTagImagesRequest(item=tagging_pb2.StreamTagImagesItem(item_id="a", content=dog))
                call = self._tagging.StreamTagImages(iter([item]), metadata=metadata)
                async for response in call:
                    self._check(response.result)
            case "InspectImage":
                await self._preprocess.InspectImage(preprocess_pb2.InspectImageRequest(content=dog), metadata=metadata)
            case "PrepareImage":
                await self._preprocess.PrepareImage(preprocess_pb2.PrepareImageRequest(content=dog), metadata=metadata)
            case "StreamPrepareImages":
                item = preprocess_pb2.StreamPrepareImagesItem(item_id="a", content=dog)
                sent = preprocess_pb2.StreamPrepareImagesRequest(item=item)
                call = self._preprocess.StreamPrepareImages(iter([sent]), metadata=metadata)
                async for response in call:
                    self._check(response.header)
            case "EnhanceDarkImage":
                await self._enhancement.EnhanceDarkImage(enhancement_pb2.EnhanceDarkImageRequest(content=dog), metadata=metadata)
            case "DefogImage":
                await self._enhancement.DefogImage(enhancement_pb2.DefogImageRequest(content=dog), metadata=metadata)
            case "UpscaleImage":
                await self._enhancement.UpscaleImage(enhancement_pb2.UpscaleImageRequest(content=dog), metadata=metadata)
            case "StreamEnhanceDarkImage" | "StreamDefogImage" | "StreamUpscaleImage":
                message = getattr(enhancement_pb2, f"{method}Request")
                sent = _upload(dog, message, getattr(enhancement_pb2, f"{method}Config"))
                call = getattr(self._enhancement, method)(sent, metadata=metadata)
                async for _ in call:
                    pass
            case "RecognizeBackgroundMusic":
                request = music_pb2.RecognizeBackgroundMusicRequest(uri="https://example.org/a.mp4")
                await self._music.RecognizeBackgroundMusic(request, metadata=metadata)
            case "StreamRecognizeBackgroundMusic":
                request = music_pb2.RecognizeBackgroundMusicRequest(uri="https://example.org/a.mp4")
                config = music_pb2.StreamRecognizeBackgroundMusicConfig(request=request)
                sent = music_pb2.StreamRecognizeBackgroundMusicRequest(config=config)
                call = self._music.StreamRecognizeBackgroundMusic(iter([sent]), metadata=metadata)
                await call
            case "GetInfo":
                await self._info.GetInfo(gateway_pb2.GetInfoRequest(), metadata=metadata)
            case _:
                raise AssertionError(method)

    @staticmethod
    def _check(result) -> None:
        if result.HasField("error"):
            raise ItemError(result.error)


class ItemError(Exception):
    """The status of an item."""

    def __init__(self, status) -> None:
        super().__init__(status.message)
        self.status = status


METHODS = [name.rpartition("/")[2] for name in operations()]
OPERATIONS = {name.rpartition("/")[2]: operation for name, operation in operations().items()}
WAITING = {"StreamTagImages", "StreamPrepareImages"}
"""Their items wait where others are refused."""


@pytest.fixture
def calls(channel, dog) -> Calls:
    return Calls(channel, dog)


def reason_of(status) -> str:
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info.reason


async def refused(calls: Calls, method: str, metadata) -> tuple[grpc.StatusCode, str]:
    with pytest.raises((grpc.aio.AioRpcError, ItemError)) as caught:
        await calls(method, metadata)
    error = caught.value
    if isinstance(error, ItemError):
        return next(code for code in grpc.StatusCode if code.value[0] == error.status.code), reason_of(error.status)
    return error.code(), reason_of(rpc_status.from_call(error))


def test_every_method_of_the_contract_is_called_here() -> None:
    files = (tagging_pb2, enhancement_pb2, music_pb2, preprocess_pb2)
    methods = [
        method.name for file in files for service in file.DESCRIPTOR.services_by_name.values() for method in service.methods
    ]
    assert sorted(METHODS) == sorted(methods)


@pytest.mark.parametrize("method", [*METHODS, "GetInfo"])
async def test_no_method_is_to_be_had_without_credentials(calls, provider, method) -> None:
    assert await refused(calls, method, ()) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    assert (provider.calls, provider.enhancements, provider.recordings) == ([], [], [])


@pytest.mark.parametrize("method", [*METHODS, "GetInfo"])
async def test_every_method_is_to_be_had_with_them(calls, method) -> None:
    await calls(method, BY_KEY)


@pytest.mark.parametrize(
    "metadata",
    [
        (("authorization", f"Bearer {KEY.text}"),),
        (("authorization", f"bearer  {KEY.text}"),),
        (("authorization", "Basic c2hvcDpzaG9w"), ("x-api-key", KEY.text)),
        (*BY_KEY, ("x-tenant-id", "shop")),
    ],
)
async def test_credentials_come_in_either_place(calls, provider, metadata) -> None:
    await calls("TagImage", metadata)
    assert provider.callers[0].tenant == "shop"


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ((("authorization", KEY.text),), grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", f"Basic {KEY.text}"),), grpc.StatusCode.UNAUTHENTICATED),
        ((("x-api-key", new_key().text),), grpc.StatusCode.UNAUTHENTICATED),
        ((("x-api-key", KEY.text), ("x-api-key", KEY.text)), grpc.StatusCode.UNAUTHENTICATED),
        ((("authorization", f"Bearer {KEY.text}"), ("authorization", "Bearer x")), grpc.StatusCode.UNAUTHENTICATED),
        ((*BY_KEY, ("x-tenant-id", "another")), grpc.StatusCode.INVALID_ARGUMENT),
        ((*BY_KEY, ("x-tenant-id", "x" * 65)), grpc.StatusCode.INVALID_ARGUMENT),
        ((*BY_KEY, ("x-tenant-id", "shop"), ("x-tenant-id", "shop")), grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
async def test_credentials_that_are_not_in_order_are_refused(calls, caplog, metadata, code) -> None:
    caplog.set_level("DEBUG")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await calls("TagImage", metadata)
    assert caught.value.code() is code
    assert KEY.secret not in caplog.text
    assert KEY.secret not in str(caught.value)


@pytest.mark.parametrize(
    ("metadata", "result"),
    [
        ((("authorization", f"Bearer {KEY.text}"), ("authorization", f"Bearer {KEY.text}")), "malformed"),
        ((("authorization", "Basic c2hvcDpzaG9w"),), "unsupported"),
        ((("authorization", "Bearer "),), "unsupported"),
        ((("authorization", ""),), "missing"),
    ],
)
async def test_what_no_authenticator_judges_is_counted(calls, world, metadata, result) -> None:
    assert await refused(calls, "TagImage", metadata) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")
    assert world.counted("authentications_total", authenticator="none", result=result) == 1


async def test_nothing_of_a_message_is_read_before_its_caller_is_known(channel) -> None:
    """A call whose message never ends is refused at once."""
    call = channel.stream_stream("/gateway.imagerecognition.v1.TaggingService/TagImage")()
    assert await asyncio.wait_for(call.code(), 10) is grpc.StatusCode.UNAUTHENTICATED


async def test_health_is_everybody_s_to_ask(channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING
    watch = stub.Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


@pytest.mark.parametrize(("metadata", "code"), [((), grpc.StatusCode.UNAUTHENTICATED), (BY_KEY, grpc.StatusCode.OK)])
async def test_reflection_is_not(channel, metadata, code) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]), metadata=metadata)
    if code is grpc.StatusCode.OK:
        assert len([response async for response in call]) == 1
    assert await call.code() is code


async def test_a_front_service_names_the_tenant(calls, provider, world) -> None:
    world.may_act_for = frozenset({"customer-7"})
    await calls("TagImage", (*BY_KEY, ("x-tenant-id", "customer-7")))
    assert provider.callers[0].tenant == "customer-7"


@pytest.mark.parametrize("method", METHODS)
async def test_an_operation_that_is_not_allowed_is_refused(calls, world, method) -> None:
    own = OPERATIONS[method]
    world.limits = Limits("gold", operations=frozenset(set(Operation) - {own}))
    assert await refused(calls, method, BY_KEY) == (grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_DENIED")
    world.limits = Limits("gold", operations=frozenset({own}))
    await calls(method, BY_KEY)
    await calls("GetInfo", BY_KEY)


@pytest.mark.parametrize("method", METHODS)
async def test_pictures_count_for_the_rate_however_they_come(calls, world, method) -> None:
    world.limits = Limits("gold", rate=0.001, burst=2)
    for _ in range(2):
        await calls(method, BY_KEY)
    if method in WAITING:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(calls(method, BY_KEY), 0.1)
        return
    assert await refused(calls, method, BY_KEY) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TENANT_LIMIT_EXCEEDED")
    assert world.counted("tenant_refusals_total", tenant_class="gold", limit="rate") == 1
    world.limits = Limits("gold", rate=0.001, burst=1, shadow=True)
    for _ in range(2):
        await calls(method, BY_KEY)
    assert world.counted("tenant_shadow_refusals_total", tenant_class="gold", limit="rate") == 1


async def test_a_refusal_says_how_long_to_wait_and_whose_limit_it_is(calls, world) -> None:
    world.limits = Limits("gold", rate=0.5, burst=1)
    await calls("TagImage", BY_KEY)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await calls("TagImage", BY_KEY)
    details = rpc_status.from_call(caught.value).details
    retry, quota = error_details_pb2.RetryInfo(), error_details_pb2.QuotaFailure()
    assert any(detail.Unpack(retry) for detail in details)
    assert any(detail.Unpack(quota) for detail in details)
    assert 1.0 < retry.retry_delay.ToTimedelta().total_seconds() <= 2.0
    assert quota.violations[0].subject == "tenant"


@pytest.fixture
def held(provider):
    """Has pictures at work until it is set."""
    release = asyncio.Event()

    async def hold(_: object) -> TaggingReply:
        await release.wait()
        return TaggingReply("commanded", ())

    provider.behaviour = hold
    return release


async def at_work(provider, count: int) -> None:
    async with asyncio.timeout(10):
        while provider.under_way != count:  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0.001)


async def test_pictures_at_once_are_bounded_over_all_calls(calls, world, provider, held) -> None:
    world.limits = Limits("gold", concurrency=1)
    first = asyncio.create_task(calls("TagImage", BY_KEY))
    await at_work(provider, 1)
    for method in ("TagImage", "BatchTagImages", "PrepareImage", "DefogImage", "RecognizeBackgroundMusic", "StreamUpscaleImage"):
        assert await refused(calls, method, BY_KEY) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TENANT_LIMIT_EXCEEDED")
    held.set()
    await first
    await calls("TagImage", BY_KEY)


async def test_a_batch_has_no_more_at_work_than_its_tenant_may(stub, world, provider, dog) -> None:
    pairs = asyncio.Barrier(2)

    async def in_pairs(_: object) -> TaggingReply:
        await pairs.wait()
        return TaggingReply("commanded", ())

    provider.behaviour = in_pairs
    world.limits = Limits("gold", concurrency=2)
    batch = tagging_pb2.BatchTagImagesRequest(requests=[tagging_pb2.TagImageRequest(content=dog)] * 8)
    reply = await stub.BatchTagImages(batch, metadata=BY_KEY)
    assert all(result.HasField("response") for result in reply.results)
    assert provider.most_under_way == 2


async def test_a_batch_counts_every_picture_for_the_rate(stub, world, dog) -> None:
    world.limits = Limits("gold", rate=0.001, burst=3)
    batch = tagging_pb2.BatchTagImagesRequest(requests=[tagging_pb2.TagImageRequest(content=dog)] * 5)
    reply = await stub.BatchTagImages(batch, metadata=BY_KEY)
    failed = [reason_of(result.error) for result in reply.results if result.HasField("error")]
    assert failed == ["TENANT_LIMIT_EXCEEDED"] * 2


def items(dog: bytes, count: int, **more: object):
    for number in range(count):
        item = tagging_pb2.StreamTagImagesItem(item_id=str(number), content=dog, **more)
        yield tagging_pb2.StreamTagImagesRequest(item=item)


async def test_items_of_a_stream_wait_for_their_tenant_s_places(stub, world, provider, dog) -> None:
    world.limits = Limits("gold", concurrency=1)
    responses = [response async for response in stub.StreamTagImages(items(dog, 6), metadata=BY_KEY)]
    assert responses[-1].summary.succeeded == 6
    assert provider.most_under_way == 1
    assert world.counted("tenant_refusals_total", tenant_class="gold", limit="concurrency") == 0


async def test_items_of_a_stream_wait_for_their_tenant_s_rate(stub, world, dog) -> None:
    world.limits = Limits("gold", rate=50.0, burst=1)
    began = time.monotonic()
    responses = [response async for response in stub.StreamTagImages(items(dog, 6), metadata=BY_KEY)]
    assert responses[-1].summary.succeeded == 6
    assert time.monotonic() - began >= 0.09  # five waits of 20 ms


async def test_an_operation_that_is_taken_away_is_so_in_streams_under_way(stub, world, dog) -> None:
    call = stub.StreamTagImages(metadata=BY_KEY)
    first, second = items(dog, 2)
    await call.write(first)
    assert (await call.read()).result.HasField("response")
    world.limits = Limits("gold", operations=frozenset({Operation.DEFOG}))
    await call.write(second)
    assert reason_of((await call.read()).result.error) == "PERMISSION_DENIED"
    await call.done_writing()
    summary = (await call.read()).summary
    assert (summary.succeeded, summary.failed) == (1, 1)


async def test_an_item_waits_no_longer_than_it_may(stub, world, provider, held, dog) -> None:
    world.limits = Limits("gold", concurrency=1)
    timeout = duration_pb2.Duration(nanos=50_000_000)

    def sent():
        yield next(items(dog, 1))
        item = tagging_pb2.StreamTagImagesItem(item_id="hasty", content=dog, timeout=timeout)
        yield tagging_pb2.StreamTagImagesRequest(item=item)

    call = stub.StreamTagImages(sent(), metadata=BY_KEY)
    first = await call.read()
    assert (first.result.item_id, reason_of(first.result.error)) == ("hasty", "DEADLINE_EXCEEDED")
    held.set()
    assert (await call.read()).result.item_id == "0"
    assert (await call.read()).summary.received == 2


async def test_a_stream_that_goes_away_while_it_waits_keeps_no_place(stub, world, provider, held, dog, calls) -> None:
    world.limits = Limits("gold", concurrency=1)
    call = stub.StreamTagImages(items(dog, 6), metadata=BY_KEY)
    reading = asyncio.ensure_future(call.read())
    await at_work(provider, 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await at_work(provider, 0)
    held.set()
    await calls("TagImage", BY_KEY)
