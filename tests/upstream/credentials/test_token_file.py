import asyncio
import fcntl
import os
import stat
from pathlib import Path

import pytest

from gateway.upstream.credentials.token import Token
from gateway.upstream.credentials.token_document import MAX_BYTES
from gateway.upstream.credentials.token_file import FileTokenStore
from gateway.upstream.credentials.token_store import TURN_LIMIT

TOKEN = Token("hunter2" * 1000, "p7", 1_800_000_000.5, 1_800_086_400.0)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "shared" / "tokens"


@pytest.fixture
def store(folder) -> FileTokenStore:
    return FileTokenStore(folder, "account")


async def test_what_is_saved_is_loaded_by_another_replica(store, folder) -> None:
    assert await store.load() is None
    await store.save(TOKEN)
    assert await FileTokenStore(folder, "account").load() == TOKEN
    assert await FileTokenStore(folder, "other").load() is None


async def test_nobody_else_may_read_it_whatever_the_umask(store, folder) -> None:
    before = os.umask(0)
    try:
        await store.save(TOKEN)
        async with store.turn():
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


async def test_a_new_token_replaces_the_old_one_and_leaves_nothing_else(store, folder) -> None:
    for value in ("first", "second"):
        await store.save(Token(value, "p7", 1.0, 2.0))
    assert (await store.load()).value == "second"
    assert [file.name for file in folder.iterdir()] == ["token-account.json"]


async def test_only_the_token_that_is_meant_is_forgotten(store) -> None:
    await store.save(TOKEN)
    await store.forget(Token("other", "p7", 1.0, 2.0))
    assert await store.load() == TOKEN
    await store.forget(TOKEN)
    assert await store.load() is None
    await store.forget(TOKEN)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"null",
        b"[]",
        b"[" * 50_000,
        b"{}",
        b'["t", "p", 1]',
        b'["t", "p", 1, 2, 3]',
        b'["t", "p", "x", 1]',
        b'["t", "p", 1, NaN]',
        b'["t", "p", 1, 1e999]',
        b'["t", "../p", 1, 2]',
        b'["", "p", 1, 2]',
        b'["t\\r\\nX-Evil: 1", "p", 1, 2]',
        b'[7, "p", 1, 2]',
        b'["t", "p", 1, 2]' + b" " * MAX_BYTES + b"x",
    ],
)
async def test_a_damaged_file_is_as_good_as_none(store, folder, content, caplog) -> None:
    folder.mkdir(parents=True)
    (folder / "token-account.json").write_bytes(content)
    assert await store.load() is None
    assert "damaged" in caplog.text
    await store.forget(TOKEN)
    await store.save(TOKEN)
    assert await store.load() == TOKEN


async def test_a_folder_that_cannot_be_used_costs_the_sharing_only(tmp_path, caplog) -> None:
    (tmp_path / "file").write_text("")
    store = FileTokenStore(tmp_path / "file" / "folder", "account")
    await store.save(TOKEN)
    assert await store.load() is None
    await store.forget(TOKEN)
    async with store.turn():
        pass
    assert "cannot be saved" in caplog.text
    assert "cannot take turns" in caplog.text
    assert str(tmp_path) not in caplog.text
    assert "hunter" not in caplog.text


async def test_one_replica_at_a_time_has_its_turn(folder) -> None:
    inside = most = 0
    waits = 0

    async def sleep(_: float) -> None:
        nonlocal waits
        waits += 1
        await asyncio.sleep(0.001)

    async def replica() -> None:
        nonlocal inside, most
        async with FileTokenStore(folder, "account", sleep).turn():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.002)
            inside -= 1

    await asyncio.gather(*(replica() for _ in range(5)))
    assert most == 1
    assert waits > 0


async def test_a_turn_that_does_not_come_is_not_waited_for_without_end(folder) -> None:
    slept = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds

    async with FileTokenStore(folder, "account").turn(), FileTokenStore(folder, "account", sleep).turn():
        assert slept == pytest.approx(TURN_LIMIT)


async def test_whoever_is_cancelled_while_the_lock_is_taken_leaves_it_free(folder, until, monkeypatch) -> None:
    store = FileTokenStore(folder, "account")
    taken = asyncio.Event()
    loop = asyncio.get_running_loop()
    really = store._lock

    def lock() -> int | None:
        descriptor = really()
        loop.call_soon_threadsafe(taken.set)
        return descriptor

    monkeypatch.setattr(store, "_lock", lock)

    async def wait() -> None:
        async with store.turn():
            await asyncio.sleep(60)

    waiting = asyncio.create_task(wait())
    await taken.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await until(lambda: asyncio.to_thread(is_free, folder / "token-account.lock"))


def is_free(path: Path) -> bool:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
