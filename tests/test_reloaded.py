import asyncio
import os
from pathlib import Path

import pytest

from gateway.reloaded import Reloaded


class Reader:
    """Reads a file, and may refuse it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.reads = 0

    def __call__(self) -> str:
        self.reads += 1
        text = self.file.read_text()
        if text == "bad":
            msg = "it is bad"
            raise ValueError(msg)
        return text


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "file"
    path.write_text("one")
    return path


@pytest.fixture
def results() -> list[bool]:
    return []


@pytest.fixture
def kept(file, results) -> Reloaded[str]:
    return Reloaded("the file", [file], Reader(file), interval=1, observer=results.append)


def test_it_is_read_at_once_and_must_be_good(file) -> None:
    file.write_text("bad")
    with pytest.raises(ValueError, match="it is bad"):
        Reloaded("the file", [file], Reader(file), interval=1)


async def test_it_is_read_anew_when_it_has_changed_only(kept, file, results) -> None:
    await kept.look()
    assert results == []
    file.write_text("another")
    await kept.look()
    await kept.look()
    assert (kept.current, results) == ("another", [True])


async def test_a_change_of_the_same_length_within_a_tick_of_the_clock_is_noticed_by_the_inode(kept, file) -> None:
    times = file.stat()
    fresh = file.with_name("fresh")
    fresh.write_text("two")
    os.utime(fresh, ns=(times.st_atime_ns, times.st_mtime_ns))
    fresh.rename(file)
    await kept.look()
    assert kept.current == "two"


async def test_a_secret_that_is_mounted_by_links_is_followed(tmp_path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "data").symlink_to("one")
    (tmp_path / "file").symlink_to("data/file")
    kept = Reloaded("the file", [tmp_path / "file"], Reader(tmp_path / "file"), interval=1)
    (tmp_path / "fresh").symlink_to("two")
    (tmp_path / "fresh").rename(tmp_path / "data")
    await kept.look()
    assert kept.current == "two"


@pytest.mark.parametrize("spoil", [lambda file: file.write_text("bad"), lambda file: file.unlink()])
async def test_what_cannot_be_used_changes_nothing_and_is_said_once(kept, file, results, caplog, spoil) -> None:
    spoil(file)
    for _ in range(3):
        await kept.look()
    assert (kept.current, results) == ("one", [False])
    assert caplog.text.count("the file: not taken anew") == 1
    file.write_text("good again")
    await kept.look()
    assert (kept.current, results) == ("good again", [False, True])


async def test_it_can_be_read_anew_unchanged(kept, results) -> None:
    assert await kept.reload()
    assert results == [True]


async def test_it_is_looked_at_until_it_is_closed(file) -> None:
    naps: asyncio.Queue[float] = asyncio.Queue()
    wake = asyncio.Semaphore(0)

    async def sleep(seconds: float) -> None:
        naps.put_nowait(seconds)
        await wake.acquire()

    kept = Reloaded("the file", [file], Reader(file), interval=7, sleep=sleep)
    kept.start()
    assert await naps.get() == 7
    file.write_text("another")
    wake.release()
    await naps.get()
    assert kept.current == "another"
    await kept.aclose()
    await kept.aclose()


async def test_a_fault_of_ours_does_not_end_the_watch(file, caplog) -> None:
    naps: asyncio.Queue[float] = asyncio.Queue()
    wake = asyncio.Semaphore(0)

    async def sleep(seconds: float) -> None:
        naps.put_nowait(seconds)
        await wake.acquire()

    faults = [RuntimeError("a bug")]

    def load() -> str:
        if file.read_text() == "two" and faults:
            raise faults.pop()
        return file.read_text()

    kept = Reloaded("the file", [file], load, interval=7, sleep=sleep)
    kept.start()
    await naps.get()
    file.write_text("two")
    for _ in range(2):
        wake.release()
        await naps.get()
    await kept.aclose()
    assert kept.current == "two"
    assert "could not be looked at" in caplog.text
