import asyncio

import pytest

from gateway.upstream.connection import SLICE_BYTES, STALE_SECONDS, Exchange, SlicedBody, _Generation, _WatchedConnection


class Writer:
    """Remembers what it is given, and breaks at the piece that it is told to."""

    def __init__(self, breaks_at: int | None = None) -> None:
        self.pieces: list[memoryview] = []
        self._breaks_at = breaks_at

    async def write(self, piece: memoryview) -> None:
        if len(self.pieces) == self._breaks_at:
            raise ConnectionResetError
        self.pieces.append(piece)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Wire(asyncio.Transport):
    """Open until it is closed."""

    closed = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def generation() -> _Generation:
    return _Generation()


@pytest.fixture
async def connection(generation) -> _WatchedConnection:
    made = _WatchedConnection(generation, asyncio.get_running_loop())
    made.connection_made(Wire())
    return made


@pytest.mark.parametrize("size", [1, SLICE_BYTES, SLICE_BYTES + 1, 3 * SLICE_BYTES - 1])
async def test_a_body_is_written_in_slices_of_itself(size) -> None:
    content = bytes(size)
    body, writer = SlicedBody(content), Writer()
    await body.write(writer)
    assert b"".join(writer.pieces) == content
    assert all(piece.obj is content and len(piece) <= SLICE_BYTES for piece in writer.pieces)
    assert body.handed_over == body.size == size


async def test_no_more_is_written_than_was_announced() -> None:
    body, writer = SlicedBody(b"hello"), Writer()
    await body.write_with_length(writer, 2)
    assert b"".join(writer.pieces) == b"he"
    assert body.decode() == "hello"


async def test_a_piece_that_breaks_may_have_gone_out(connection) -> None:
    """So the request is no longer known to be incomplete once the last piece was tried."""
    for breaks_at, may_be_whole in [(0, False), (1, True)]:
        body = SlicedBody(bytes(SLICE_BYTES + 1))
        exchange = Exchange(body, Clock())
        exchange.begin(connection)
        with pytest.raises(ConnectionResetError):
            await body.write(Writer(breaks_at))
        assert exchange.may_be_whole is may_be_whole


async def test_how_far_an_exchange_without_a_body_got(connection) -> None:
    exchange = Exchange(None, Clock())
    assert (exchange.is_connected, exchange.may_be_whole, exchange.is_answered) == (False,) * 3
    connection.received = 7  # of an earlier reply
    exchange.begin(connection)
    assert (exchange.is_connected, exchange.may_be_whole, exchange.is_answered) == (True, True, False)
    connection.data_received(b"H")
    assert exchange.is_answered
    again = Exchange(None, Clock())
    again.begin(connection)
    assert not again.is_answered


async def test_a_kept_connection_is_stale_for_a_moment_and_until_it_answers(connection) -> None:
    clock = Clock()
    fresh = Exchange(None, clock)
    assert not fresh.is_stale
    fresh.begin(connection)
    assert not fresh.is_stale
    fresh.finish()
    clock.now = 1000.0
    reused = Exchange(None, clock)
    reused.begin(connection)
    clock.now += 0.99 * STALE_SECONDS
    assert reused.is_stale
    clock.now += 0.01 * STALE_SECONDS
    assert not reused.is_stale
    reused.begin(connection)  # as aiohttp does of its own accord, for a request that costs nothing
    assert reused.is_stale
    connection.data_received(b"H")
    assert not reused.is_stale


async def test_finishing_late_does_not_take_the_connection_from_the_next_exchange(connection) -> None:
    """aiohttp may lend it again before the first call's task has its turn."""
    first, second = Exchange(None, Clock()), Exchange(None, Clock())
    first.begin(connection)
    second.begin(connection)
    first.finish()
    connection.data_received(b"H")
    assert second.is_answered


async def test_idle_connections_are_distrusted_together(connection, generation) -> None:
    exchange = Exchange(None, Clock())
    exchange.begin(connection)
    generation.number += 1
    assert connection.is_connected()  # busy: its own exchange shows what it is worth
    exchange.finish()
    assert connection.is_connected()  # as it just did
    generation.number += 1
    assert not connection.is_connected()


async def test_what_comes_between_two_exchanges_is_dropped(connection) -> None:
    exchange = Exchange(None, Clock())
    exchange.begin(connection)
    exchange.finish()
    connection.data_received(b"HTTP/1.1 200 OK\r\n\r\n")
    assert connection.received == 0
    assert not connection.is_connected()
