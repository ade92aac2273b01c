"""What becomes of workers and of their callers. Where a worker must misbehave, a script takes its place."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from PIL import Image

from gateway.breadth.pool import BreadthPool
from gateway.breadth.settings import BreadthSettings
from gateway.breadth.worker.wire import EXIT_MEMORY
from gateway.errors import GatewayError, Reason

from .pictures import PIXELS, encoded, gradient, until

GIF = encoded(gradient(), "GIF")

PROLOGUE = """
import json, os, struct, sys, time
def send(header, payload=b"", length=None):
    head = json.dumps(header).encode() if not isinstance(header, bytes) else header
    os.write(1, struct.pack("!IQ", len(head), len(payload) if length is None else length) + head + payload)
def take():
    a, b = struct.unpack("!IQ", sys.stdin.buffer.read(12))
    return json.loads(sys.stdin.buffer.read(a)), sys.stdin.buffer.read(b)
def hello():
    send({"version": "fake", "features": [], "sealed": True})
def pixel(value, **more):
    return {"width": 1, "height": 1, "channels": 3, "orientation": 1, "notes": [], **more}, bytes([value] * 3)
"""
HANG = "hello(); take(); time.sleep(3600)"


@pytest.fixture
def fake(tmp_path):
    """A pool whose workers run a script."""
    count = 0

    def make(script: str, **options: object) -> BreadthPool:
        nonlocal count
        count += 1
        path = tmp_path / f"fake{count}.py"
        path.write_text(PROLOGUE + script)
        return BreadthPool(BreadthSettings(**options), command=[sys.executable, "-I", "-S", str(path)])

    return make


async def refusal(pool: BreadthPool, data: bytes = GIF) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await pool.decode(data, max_pixels=PIXELS)
    assert "/" not in caught.value.message
    return caught.value


def is_gone(pid: int) -> bool:
    """Whether there is no such process, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_nothing_is_started_before_the_first_picture(pool) -> None:
    assert (pool._idle, pool._busy) == ([], set())


async def test_a_worker_serves_one_picture_after_the_other_and_is_replaced(settings, caplog) -> None:
    async with BreadthPool(settings.model_copy(update={"pictures_per_worker": 3})) as pool:
        pids = []
        for _ in range(7):
            await pool.decode(GIF, max_pixels=PIXELS)
            pids.append([worker._process.pid for worker in pool._idle])
        assert pids[0] == pids[1] != []
        assert pids[2] == pids[5] == []
        assert pids[3] == pids[4] != pids[0]
        await until(lambda: is_gone(pids[0][0]) and is_gone(pids[3][0]))
    assert "Unknown child process" not in caplog.text


async def test_as_many_at_once_as_there_are_workers(fake) -> None:
    async with fake("hello(); take(); send(*pixel(7)); take(); time.sleep(3600)", workers=2) as pool:
        calls = [asyncio.create_task(pool.decode(GIF, max_pixels=PIXELS)) for _ in range(2)]
        assert [(await call).pixels for call in calls] == [b"\7\7\7"] * 2
        stuck = [asyncio.create_task(pool.decode(GIF, max_pixels=PIXELS)) for _ in range(5)]
        await until(lambda: sum(worker.asked == 2 for worker in pool._busy) == 2)
        assert len(pool._busy) == 2
        for call in stuck:
            call.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_a_worker_that_hangs_is_killed_and_replaced(fake) -> None:
    pool = fake(HANG, timeout=0.05)
    async with pool:
        for _ in range(2):
            error = await refusal(pool)
            assert (error.reason, error.allowed) == (Reason.IMAGE_REJECTED, "at most 0.05 s")
            assert pool._idle == []


async def test_a_worker_that_reads_nothing_is_killed(fake) -> None:
    async with fake("hello(); time.sleep(3600)", timeout=0.05) as pool:
        assert (await refusal(pool, GIF + bytes(4 << 20))).allowed == "at most 0.05 s"


async def test_waiting_for_a_worker_does_not_count(fake) -> None:
    async with fake("hello()\nwhile True: take(); send(*pixel(1))", timeout=5) as pool:
        assert len(await asyncio.gather(*(pool.decode(GIF, max_pixels=PIXELS) for _ in range(50)))) == 50
        assert pool._idle[0].asked == 50


async def test_a_killed_worker_costs_its_picture_only(pool) -> None:
    await pool.decode(GIF, max_pixels=PIXELS)
    pid = pool._idle[0]._process.pid
    os.kill(pid, signal.SIGSTOP)  # so that it cannot have answered before it is killed
    call = asyncio.create_task(refusal(pool))
    await until(lambda: bool(pool._busy))
    waiting = asyncio.create_task(pool.decode(GIF, max_pixels=PIXELS))
    os.kill(pid, signal.SIGKILL)
    assert (await call).reason is Reason.INTERNAL
    assert (await waiting).width == 40
    assert is_gone(pid)


async def test_a_worker_that_died_between_two_pictures_costs_none(pool) -> None:
    await pool.decode(GIF, max_pixels=PIXELS)
    worker = pool._idle[0]
    os.kill(worker._process.pid, signal.SIGKILL)
    await until(lambda: not worker.is_alive)
    assert (await pool.decode(GIF, max_pixels=PIXELS)).width == 40


@pytest.mark.parametrize(
    ("death", "reason", "allowed"),
    [
        ("os.kill(os.getpid(), 11)", Reason.IMAGE_REJECTED, ""),
        ("os.abort()", Reason.IMAGE_REJECTED, ""),
        ("os._exit(1)", Reason.IMAGE_REJECTED, ""),
        ("os._exit(0)", Reason.IMAGE_REJECTED, ""),
        ("os.close(0); os.close(1); time.sleep(3600)", Reason.INTERNAL, ""),
        ("send({'width': 1}, b'ab', 100); os._exit(0)", Reason.IMAGE_REJECTED, ""),
        ("os.write(1, b'abc'); os._exit(0)", Reason.IMAGE_REJECTED, ""),
        ("os.kill(os.getpid(), 15)", Reason.INTERNAL, ""),
        (f"os._exit({EXIT_MEMORY})", Reason.IMAGE_REJECTED, "at most 1024 MiB"),
        ("os.kill(os.getpid(), 24)", Reason.IMAGE_REJECTED, "at most 10 s"),
        ("os.kill(os.getpid(), 27)", Reason.IMAGE_REJECTED, "at most 10 s"),
    ],
)
async def test_deaths(fake, death, reason, allowed, caplog) -> None:
    async with fake(f"hello(); take(); send(*pixel(5)); take(); {death}") as pool:
        for _ in range(2):
            assert (await pool.decode(GIF, max_pixels=PIXELS)).pixels == b"\5\5\5"
            error = await refusal(pool)
            assert (error.reason, error.allowed) == (reason, allowed)
    assert "Unknown child process" not in caplog.text


@pytest.mark.parametrize("when", ["", "hello(); take(); "])
@pytest.mark.parametrize(
    "nonsense",
    [
        "send(b'{')",
        "send(b'\\xff\\xfe')",
        "send([1, 2])",
        "send(b'[' * 60000)",
        "send({'width': 1, 'height': 1, 'channels': 3, 'orientation': 1, 'notes': ['hunter2']}, b'abc')",
        "send(pixel(1)[0], b'ab')",
        "send(pixel(1, extra=1)[0], b'abc')",
        "send(pixel(1, channels=2)[0], b'ab')",
        "send(pixel(1, width=0)[0], b'')",
        "send(pixel(1, width=2**30, height=2**30)[0], b'abc')",
        "send(pixel(1)[0], b'', 2**62)",
        "os.write(1, b'\\xff' * 12)",
        "send({'failure': 'hunter2'})",
        "send({'failure': 'damaged'}, b'abc')",
        "send({'failure': 'pixels', 'pixels': -1})",
        "send({'failure': 'pixels', 'pixels': 2**63})",
        "send({'failure': 'damaged', 'cause': 'x' * 1001})",
        "send(pixel(1, notes=['cmyk', 'cmyk'])[0], b'abc')",
        "send(pixel(1, notes=['cmyk'] * 1000)[0], b'abc')",
        "send(pixel(1, orientation=9)[0], b'abc')",
        "send({'missing': 'x' * 101})",
        "send({'version': 'x' * 101, 'features': [], 'sealed': True})",
        "send({'version': '1', 'features': ['x' * 101], 'sealed': True})",
        "send({'version': '1', 'features': ['x'] * 21, 'sealed': True})",
    ],
)
async def test_answers_that_no_worker_gives(fake, nonsense, when, caplog) -> None:
    async with fake(f"{when}{nonsense}; time.sleep(3600)") as pool:
        error = await refusal(pool)
        assert error.reason is (Reason.IMAGE_REJECTED if when else Reason.INTERNAL)
        assert pool._idle == []
    assert "hunter2" not in caplog.text + error.message


async def test_what_a_worker_says_goes_to_the_log_in_ascii_and_not_to_callers(fake, caplog) -> None:
    script = "hello(); take(); send({'failure': 'damaged', 'cause': 'secret\\nline \\u202e'})"
    async with fake(script) as pool:
        with caplog.at_level("INFO"):
            error = await refusal(pool)
    assert error.reason is Reason.IMAGE_DAMAGED
    assert "secret" not in error.message
    assert r"secret\nline \u202e" in caplog.text


async def test_a_worker_that_says_it_is_out_of_memory_is_replaced(fake) -> None:
    async with fake("hello(); take(); send({'failure': 'memory'}); time.sleep(3600)") as pool:
        assert (await refusal(pool)).allowed == "at most 1024 MiB"
        assert pool._idle == []


async def test_a_cancelled_call_takes_its_worker_along(fake) -> None:
    async with fake(HANG) as pool:
        call = asyncio.create_task(pool.decode(GIF, max_pixels=PIXELS))
        await until(lambda: any(worker.asked for worker in pool._busy))
        (worker,) = pool._busy
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (pool._idle, pool._busy) == ([], set())
        await until(lambda: is_gone(worker._process.pid))


async def test_a_call_cancelled_while_its_worker_starts(fake) -> None:
    async with fake("time.sleep(3600)") as pool:
        call = asyncio.create_task(pool.decode(GIF, max_pixels=PIXELS))
        await until(lambda: bool(pool._busy))
        (worker,) = pool._busy
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: is_gone(worker._process.pid))


async def test_a_call_cancelled_before_its_process_exists(fake) -> None:
    async with fake(HANG) as pool:
        for turns in range(12):
            call = asyncio.create_task(pool.decode(GIF, max_pixels=PIXELS))
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        assert (pool._idle, pool._busy) == ([], set())


async def test_nobody_gets_another_ones_pixels(settings) -> None:
    sizes = range(1, 61)
    files = {size: encoded(Image.new("L", (size, 3), size), "TIFF") for size in sizes}
    async with BreadthPool(settings.model_copy(update={"workers": 2})) as pool:

        async def one(size: int) -> int:
            call = asyncio.create_task(pool.decode(files[size], max_pixels=PIXELS))
            if size % 4 == 0:
                await until(lambda: bool(pool._busy))
                for _ in range(size % 7):
                    await asyncio.sleep(0)
                call.cancel()
            try:
                image = await call
            except asyncio.CancelledError:
                return 0
            assert (image.width, set(image.pixels)) == (size, {size})
            return 1

        assert sum(await asyncio.gather(*map(one, sizes))) >= 45


async def test_closing_ends_all_and_leaves_no_zombies(fake) -> None:
    pool = fake("hello(); take(); send(*pixel(1)); take(); time.sleep(3600)", workers=2)
    await asyncio.gather(*(pool.decode(GIF, max_pixels=PIXELS) for _ in range(2)))
    stuck = [asyncio.create_task(refusal(pool)) for _ in range(3)]
    await until(lambda: len(pool._busy) == 2)
    pids = [worker._process.pid for worker in pool._busy]
    await asyncio.gather(pool.aclose(), pool.aclose())
    assert [(await call).reason for call in stuck] == [Reason.SHUTTING_DOWN] * 3
    assert all(map(is_gone, pids))
    assert (await refusal(pool)).reason is Reason.SHUTTING_DOWN
    await pool.aclose()


async def test_closing_while_a_worker_starts(fake) -> None:
    for turns in range(12):
        pool = fake(HANG)
        call = asyncio.create_task(refusal(pool))
        for _ in range(turns):
            await asyncio.sleep(0)
        await pool.aclose()
        assert (await call).reason is Reason.SHUTTING_DOWN
        assert not pool._busy


async def test_an_interpreter_that_does_not_exist(settings, caplog) -> None:
    async with BreadthPool(BreadthSettings(python=Path("/nonexistent/python"))) as pool:
        error = await refusal(pool)
    assert error.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
    assert "extra `breadth`" in error.message
    assert "/nonexistent/python" in caplog.text


async def test_an_interpreter_named_from_the_current_folder(monkeypatch, settings) -> None:
    assert settings.python is not None
    monkeypatch.chdir(settings.python.parent)
    async with BreadthPool(settings.model_copy(update={"python": Path(settings.python.name)})) as pool:
        assert (await pool.decode(GIF, max_pixels=PIXELS)).width == 40


async def test_an_interpreter_without_pil_is_asked_once(tmp_path, fake, caplog) -> None:
    asked = tmp_path / "asked"
    async with fake(f"open({str(asked)!r}, 'a').write('x'); send({{'missing': 'PIL'}})") as pool:
        for _ in range(3):
            error = await refusal(pool)
            assert error.reason is Reason.IMAGE_FORMAT_UNSUPPORTED
            assert "extra `breadth`" in error.message
    assert asked.read_text() == "x"
    assert "find no PIL" in caplog.text


async def test_the_real_worker_says_when_there_is_no_pil(monkeypatch, settings) -> None:
    pool = BreadthPool(settings)
    pool._command = (sys.executable, "-S", *pool._command[1:])  # no site-packages
    async with pool:
        assert "extra `breadth`" in (await refusal(pool)).message


async def test_a_worker_that_is_not_confined_is_told_of(fake, caplog) -> None:
    script = "send({'version': '1', 'features': [], 'sealed': False}); take(); send(*pixel(1))"
    async with fake(script) as pool:
        await pool.decode(GIF, max_pixels=PIXELS)
    assert "not filtered" in caplog.text
