"""A port for several processes: held from before the first listens until after the last has ended."""

import contextlib
import socket
from collections.abc import Iterator

from gateway.settings import join_address, split_address


@contextlib.contextmanager
def reserved(address: str) -> Iterator[str]:
    """Hold the port of `address` for processes of this user that share it (SO_REUSEPORT); gives the address with the port taken.

    Nothing that connects lands here: a socket that does not listen is given no connections. Raises `OSError` if the port is
    taken, be it by a program that would share it: two gateways on one port would share its calls at random.
    """
    host, port = split_address(address)
    with contextlib.ExitStack() as held:
        try:
            for family, kind, protocol, _, target in socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            ):
                alone = socket.socket(family, kind, protocol)
                with alone:
                    # Allows what is left of connections of an earlier process, but nobody who listens or holds the port.
                    alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    alone.bind((target[0], port, *target[2:]))
                shared = held.enter_context(socket.socket(family, kind, protocol))
                shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                shared.bind((target[0], port, *target[2:]))
                port = shared.getsockname()[1]
        except OSError as error:
            msg = f"{address} cannot be listened on: in use, not an address of this machine, or not allowed"
            raise OSError(msg) from error
        yield join_address(host, port)
