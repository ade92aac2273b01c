import contextlib
import socket
from collections.abc import Iterator

import pytest

from gateway.workers.port import reserved


@contextlib.contextmanager
def listening(address: str, *, shared: bool) -> Iterator[socket.socket]:
    host, port = address.rsplit(":", 1)
    with socket.socket() as listener:
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, int(port)))
        listener.listen()
        yield listener


def test_several_can_listen_on_what_is_reserved_and_get_all_connections() -> None:
    with reserved("127.0.0.1:0") as address, listening(address, shared=True) as one, listening(address, shared=True):
        for _ in range(20):
            with socket.create_connection(one.getsockname(), timeout=5):
                pass


def test_who_does_not_share_cannot_have_it() -> None:
    with reserved("127.0.0.1:0") as address, pytest.raises(OSError, match="in use"), listening(address, shared=False):
        pass


@pytest.mark.parametrize("shared", [False, True])
def test_a_port_that_is_listened_on_is_refused(shared) -> None:
    with (
        listening("127.0.0.1:0", shared=shared) as taken,
        pytest.raises(OSError, match="cannot be listened on"),
        reserved(f"127.0.0.1:{taken.getsockname()[1]}"),
    ):
        pass


def test_a_port_that_is_reserved_is_refused() -> None:
    with reserved("127.0.0.1:0") as address, pytest.raises(OSError, match="cannot be listened on"), reserved(address):
        pass


def test_a_port_is_free_afterwards() -> None:
    with reserved("127.0.0.1:0") as address:
        pass
    with listening(address, shared=False):
        pass
