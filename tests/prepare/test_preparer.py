"""Where and when pictures are prepared: at once or on a thread, in order, and not at all once nobody waits for them."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.media import PreparedImage
from gateway.prepare import Convert, Operation, PrepareOptions, Preparer
from gateway.prepare import preparer as module
from gateway.prepare.preparer import INLINE_BYTES
from gateway.prepare.settings import PrepareSettings

from .pictures import encoded, lopsided, noise, opened, photo, png_header

SMALL = encoded(photo((64, 48)), "JPEG")
LARGE = encoded(noise((500, 400)), "PNG")
FIT = PrepareOptions(max_side=32)

WAIT = 10.0


def numbered(number: int) -> bytes:
    """A picture that can be told from others by its width."""
    return encoded(Image.new("RGB", (100 + number, 80)), "PNG")


class Spy:
    """What is asked of the native core, and by whom; calls can be held until `gate` is opened."""

    def __init__(self, prepare: Callable[..., _native.Prepared]) -> None:
        self._prepare = prepare
        self.threads: list[int] = []
        self.files: list[bytes] = []
        self.holds: Callable[[bytes], bool] = lambda _: False
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.was_opened: list[bool] = []

    def __call__(self, data: bytes, policy: _native.Policy) -> _native.Prepared:
        self.threads.append(threading.get_ident())
        self.files.append(data)
        if self.holds(data):
            self.entered.set()
            self.was_opened.append(self.gate.wait(WAIT))
        return self._prepare(data, policy)


@pytest.fixture
def spy(monkeypatch) -> Iterator[Spy]:
    """In the place of the native core's `prepare`."""
    spy = Spy(_native.prepare)
    monkeypatch.setattr(module._native, "prepare", spy)
    yield spy
    spy.gate.set()


@pytest.fixture
def single(spy) -> Iterator[Preparer]:
    """With one thread."""
    with Preparer(PrepareSettings(workers=1)) as preparer:
        yield preparer
        spy.gate.set()


async def until(event: threading.Event) -> None:
    """Let the loop go round until a thread has set `event`."""
    async with asyncio.timeout(WAIT):
        while not event.is_set():  # noqa: ASYNC110 - a thread does not set our events
            await asyncio.sleep(0.001)


# At once, or on a thread.

INLINE = {
    "as it is": (SMALL, PrepareOptions()),
    "stripped": (encoded(photo((64, 48)), "JPEG", comment=b"x" * 1000), PrepareOptions()),
    "large, but not even stripped": (LARGE, PrepareOptions(strip_metadata=False)),
}
THREADED = {
    "fit": (SMALL, FIT),
    "converted": (encoded(photo((64, 48)).convert("CMYK"), "JPEG"), PrepareOptions()),
    "shrunk": (encoded(noise((64, 48)), "PNG"), PrepareOptions(max_bytes=2000)),
    "decoded in full": (SMALL, PrepareOptions(full_decode=True)),
    "large and stripped": (LARGE, PrepareOptions()),
    "looked at for its profile": (SMALL, PrepareOptions(convert=Convert.ALWAYS)),
}


def test_the_examples_are_on_both_sides_of_the_bound() -> None:
    assert len(SMALL) < INLINE_BYTES < len(LARGE)


@pytest.mark.parametrize("name", INLINE)
async def test_what_takes_less_than_a_hop_is_done_at_once(spy, preparer, name) -> None:
    data, options = INLINE[name]
    image = await preparer.prepare(data, options=options)
    assert spy.threads == [threading.get_ident()]
    assert image == preparer.prepare_now(data, options=options)


@pytest.mark.parametrize("name", THREADED)
async def test_everything_else_is_done_on_a_thread(spy, preparer, name) -> None:
    data, options = THREADED[name]
    image = await preparer.prepare(data, options=options)
    assert len(spy.threads) == 1
    assert spy.threads[0] != threading.get_ident()
    assert image == preparer.prepare_now(data, options=options)


async def test_the_loop_goes_on_meanwhile(spy, single) -> None:
    """Were it prepared on the loop, nobody could open the gate."""
    spy.holds = lambda data: data is LARGE
    task = asyncio.create_task(single.prepare(LARGE, options=FIT))
    await until(spy.entered)
    # Others that need no thread are served, though the only one is busy.
    for _ in range(3):
        assert (await single.prepare(SMALL)).data is SMALL
    assert not task.done()
    spy.gate.set()
    assert opened((await task).data).size == (32, 26)
    assert spy.was_opened == [True]


async def test_threads_wait_without_the_interpreters_lock(preparer) -> None:
    """The loop turns while the native core works; with the lock held it would stand still until the end."""
    data = encoded(noise((1500, 1200)), "PNG", compress_level=0)
    task = asyncio.create_task(preparer.prepare(data, options=PrepareOptions(max_side=1100)))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await task).sent.width == 1100
    assert turns > 20


async def test_all_threads_work_at_once(monkeypatch) -> None:
    barrier = threading.Barrier(3, timeout=WAIT)
    real = _native.prepare

    def prepare(data: bytes, policy: _native.Policy) -> _native.Prepared:
        barrier.wait()
        return real(data, policy)

    monkeypatch.setattr(module._native, "prepare", prepare)
    with Preparer(PrepareSettings(workers=3)) as preparer:
        images = await asyncio.gather(*(preparer.prepare(SMALL, options=FIT) for _ in range(6)))
    assert [image.sent.width for image in images] == [32] * 6


async def test_they_wait_in_order_of_arrival(spy, single) -> None:
    spy.holds = lambda data: data is LARGE
    first = asyncio.create_task(single.prepare(LARGE, options=FIT))
    await until(spy.entered)
    files = [numbered(number) for number in range(5)]
    tasks = [asyncio.create_task(single.prepare(data, options=FIT)) for data in files]
    await asyncio.sleep(0)
    spy.gate.set()
    await asyncio.gather(first, *tasks)
    assert spy.files == [LARGE, *files]


@pytest.mark.parametrize("options", [PrepareOptions(), FIT, PrepareOptions(full_decode=True)])
async def test_refusals_are_the_gateways(preparer, bad_pictures, options) -> None:
    for data, reason in bad_pictures.values():
        with pytest.raises(GatewayError) as caught:
            await preparer.prepare(data, options=options)
        assert (caught.value.reason, caught.value.field) == (reason, "content")
        assert isinstance(caught.value.__cause__, _native.ImageError)


async def test_damage_that_a_thread_finds_is_a_refusal(preparer) -> None:
    data = SMALL[: len(SMALL) // 2] + b"\xff\xd9"
    assert (await preparer.prepare(data)).data is data
    with pytest.raises(GatewayError) as caught:
        await preparer.prepare(data, options=PrepareOptions(full_decode=True))
    assert caught.value.reason is Reason.IMAGE_DAMAGED


# Given up.


async def test_what_is_cancelled_before_it_begins_never_does(spy, single) -> None:
    spy.holds = lambda data: data is LARGE
    first = asyncio.create_task(single.prepare(LARGE, options=FIT))
    await until(spy.entered)
    dropped = [asyncio.create_task(single.prepare(numbered(number), options=FIT)) for number in range(3)]
    last = asyncio.create_task(single.prepare(SMALL, options=FIT))
    await asyncio.sleep(0)
    for task in dropped:
        task.cancel()
    assert all(isinstance(it, asyncio.CancelledError) for it in await asyncio.gather(*dropped, return_exceptions=True))
    spy.gate.set()
    await asyncio.gather(first, last)
    assert spy.files == [LARGE, SMALL]


async def test_what_is_cancelled_afterwards_ends_on_its_thread_and_no_one_waits(spy, single) -> None:
    spy.holds = lambda data: data is LARGE
    task = asyncio.create_task(single.prepare(LARGE, options=FIT))
    await until(spy.entered)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    spy.gate.set()
    # The thread is there for others again.
    assert (await single.prepare(SMALL, options=FIT)).sent.width == 32


async def test_a_timeout_gives_up_waiting(spy, single) -> None:
    spy.holds = lambda data: data is LARGE
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await single.prepare(LARGE, options=FIT)


async def test_closing_drops_what_has_not_begun(spy) -> None:
    spy.holds = lambda data: data is LARGE
    preparer = Preparer(PrepareSettings(workers=1))
    first = asyncio.create_task(preparer.prepare(LARGE, options=FIT))
    await until(spy.entered)
    second = asyncio.create_task(preparer.prepare(SMALL, options=FIT))
    await asyncio.sleep(0)
    preparer.close()  # does not wait
    (outcome,) = await asyncio.gather(second, return_exceptions=True)
    assert isinstance(outcome, GatewayError)
    assert outcome.reason is Reason.SHUTTING_DOWN
    with pytest.raises(GatewayError, match="stopping"):
        await preparer.prepare(LARGE, options=FIT)
    assert not first.done()
    spy.gate.set()
    assert (await first).sent.width == 32
    assert spy.files == [LARGE]


# Many.


def test_many_come_out_in_their_order_with_errors_in_place(preparer) -> None:
    files = [numbered(number) for number in range(20)]
    files[3], files[11] = b"", b"GIF89a"
    outcomes = list(preparer.prepare_many(iter(files), options=PrepareOptions(max_side=90)))
    assert len(outcomes) == 20
    for number, outcome in enumerate(outcomes):
        if number in {3, 11}:
            assert isinstance(outcome, GatewayError)
            assert outcome.reason is (Reason.IMAGE_EMPTY if number == 3 else Reason.IMAGE_FORMAT_UNSUPPORTED)
        else:
            assert isinstance(outcome, PreparedImage)
            assert (outcome.facts.width, outcome.sent.width) == (100 + number, 90)


def test_many_are_prepared_for_the_operation_named(preparer) -> None:
    webp = encoded(photo((64, 48)), "WEBP")
    (image,) = preparer.prepare_many([webp], Operation.SUPER_RESOLUTION)
    assert image.sent.format == "jpeg"
    assert list(preparer.prepare_many([])) == []


def test_many_go_through_all_threads_at_once(monkeypatch) -> None:
    barrier = threading.Barrier(2, timeout=WAIT)
    real = _native.prepare

    def prepare(data: bytes, policy: _native.Policy) -> _native.Prepared:
        barrier.wait()
        return real(data, policy)

    monkeypatch.setattr(module._native, "prepare", prepare)
    with Preparer(PrepareSettings(workers=2)) as preparer:
        assert len(list(preparer.prepare_many([SMALL] * 8))) == 8


def test_many_are_read_ahead_by_a_bounded_number() -> None:
    read = 0

    def files() -> Iterator[bytes]:
        nonlocal read
        for number in range(1000):
            read += 1
            yield numbered(number % 5)

    with Preparer(PrepareSettings(workers=2)) as preparer:
        outcomes = preparer.prepare_many(files())
        assert read == 0
        for count in range(1, 21):
            next(outcomes)
            assert read <= count + 2 * 2
        outcomes.close()
    assert read <= 20 + 2 * 2


def test_abandoning_many_drops_what_has_not_begun(spy, single) -> None:
    files = [numbered(number) for number in range(6)]
    spy.holds = lambda data: data is files[1]
    outcomes = single.prepare_many(iter(files))
    assert next(outcomes).facts.width == 100
    assert spy.entered.wait(WAIT)
    outcomes.close()
    spy.gate.set()
    # The thread takes up what was left, were there anything.
    assert single._pool.submit(lambda: True).result(WAIT)
    assert spy.files == files[:2]


def test_closing_ends_many(spy) -> None:
    files = [numbered(number) for number in range(6)]
    spy.holds = lambda data: data is files[0]
    preparer = Preparer(PrepareSettings(workers=1))
    outcomes: list[PreparedImage | GatewayError] = []

    def consume() -> None:
        outcomes.extend(preparer.prepare_many(iter(files)))

    thread = threading.Thread(target=consume)
    thread.start()
    assert spy.entered.wait(WAIT)
    preparer.close()
    spy.gate.set()
    thread.join(WAIT)
    assert not thread.is_alive()
    # What was done is not lost, and what was not has an outcome, whether it waited already or came later.
    assert isinstance(outcomes[0], PreparedImage)
    assert [error.reason for error in outcomes[1:]] == [Reason.SHUTTING_DOWN] * 5
    assert spy.files == files[:1]


def test_many_that_come_after_closing_are_refused_one_by_one(spy) -> None:
    preparer = Preparer(PrepareSettings(workers=1))
    outcomes = preparer.prepare_many(numbered(number) for number in range(6))
    first = next(outcomes)
    preparer.close()
    rest = list(outcomes)
    assert first.facts.width == 100
    assert len(rest) == 5
    # What was read ahead may have been done by then; nothing of it comes after what was refused.
    done = [it for it in rest if isinstance(it, PreparedImage)]
    assert [it.facts.width for it in done] == [101 + number for number in range(len(done))]
    assert {it.reason for it in rest[len(done) :]} == {Reason.SHUTTING_DOWN}
    assert [it.reason for it in preparer.prepare_many([SMALL] * 3)] == [Reason.SHUTTING_DOWN] * 3


# Looking only.


def test_inspect_says_what_is_there_and_what_would_be_done(preparer, spy) -> None:
    data = encoded(photo((200, 100)).convert("CMYK"), "JPEG")
    info, plan = preparer.inspect(data, options=PrepareOptions(max_side=50, max_bytes=1024))
    assert (info.format, info.color, info.width, info.height) == ("jpeg", "cmyk", 200, 100)
    assert plan.info == info
    assert (plan.width, plan.height, plan.conversions) == (50, 25, ["CMYK"])
    assert (plan.changes_pixels, plan.is_too_long) == (True, True)
    assert plan.memory >= 200 * 100 * 4
    info, plan = preparer.inspect(SMALL)
    assert (plan.width, plan.height, plan.conversions) == (64, 48, [])
    assert (plan.changes_pixels, plan.is_too_long) == (False, False)
    assert spy.files == []


def test_check_leaves_the_bytes_alone(preparer, spy) -> None:
    for data in (SMALL, LARGE, encoded(lopsided((5000, 400)), "PNG"), encoded(photo().convert("CMYK"), "JPEG", comment=b"x")):
        image = preparer.check(data)
        assert image.data is data
        assert (image.sent, image.actions) == (None, ())
        assert (image.facts.width, image.facts.height) == opened(data).size
        assert image.facts.size_bytes == len(data)
    assert spy.files == []


def test_check_refuses_what_could_not_be_made_fit(preparer, bad_pictures) -> None:
    for data, reason in bad_pictures.values():
        with pytest.raises(GatewayError) as caught:
            preparer.check(data)
        assert (caught.value.reason, caught.value.field) == (reason, "content")
    with pytest.raises(GatewayError, match="narrow side is under 15 px"):
        preparer.check(png_header(9000, 20))
    with pytest.raises(GatewayError, match="has to be converted"):
        preparer.check(encoded(photo(), "WEBP"), Operation.SUPER_RESOLUTION, PrepareOptions(convert=Convert.NEVER))
    assert preparer.check(encoded(photo(), "WEBP"), Operation.SUPER_RESOLUTION).facts.format == "webp"


@pytest.mark.parametrize("operation", list(Operation))
def test_a_check_tells_that_a_picture_will_be_fitted_where_it_comes_back(preparer, operation) -> None:
    wide = encoded(Image.new("RGB", (6000, 100)), "PNG")
    told = [str(action) for action in preparer.check(wide, operation).actions]
    assert told == ([] if operation is Operation.TAGGING else ["fit: 6000x100 px to 4096x68 px"])
