"""Many connections that say hello in HTTP/2, answer settings and pings, and ask for nothing.

Usage: python -m bench.connections.holder HOST:PORT COUNT. It prints `held N` once all are greeted, holds them until its standard
input ends, then prints how many the server has closed by then.
"""

import selectors
import socket
import sys
import threading
from typing import Final

_HELLO: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_SETTINGS: Final = 4
_PING: Final = 6
_ACK: Final = 1
_HEAD: Final = 9


class _Held:
    """One connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=60)
        self.socket.sendall(_HELLO)
        self.socket.setblocking(False)
        self.greeted = False
        self._received = b""

    def read(self) -> bool:
        """Answer what has come; false at the end."""
        try:
            part = self.socket.recv(1 << 14)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._received += part
        while len(self._received) >= _HEAD:
            end = _HEAD + int.from_bytes(self._received[:3], "big")
            if len(self._received) < end:
                break
            kind, flags, payload = self._received[3], self._received[4], self._received[_HEAD:end]
            self._received = self._received[end:]
            if kind in {_SETTINGS, _PING} and not flags & _ACK:
                self.greeted = True
                answer = payload if kind == _PING else b""
                self.socket.send(len(answer).to_bytes(3, "big") + bytes([kind, _ACK, 0, 0, 0, 0]) + answer)
        return bool(part)


def main() -> None:
    host, port = sys.argv[1].rsplit(":", 1)
    count = int(sys.argv[2])
    ended = threading.Event()
    selector = selectors.DefaultSelector()
    held = []
    for _ in range(count):
        connection = _Held((host, int(port)))
        held.append(connection)
        selector.register(connection.socket, selectors.EVENT_READ, connection)

    def wait() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    closed, announced = 0, False
    while not ended.is_set():
        for key, _ in selector.select(0.1):
            connection = key.data
            if not connection.read():
                selector.unregister(connection.socket)
                connection.socket.close()
                closed += 1
        if not announced and sum(each.greeted for each in held) == count:
            announced = True
            print(f"held {count}", flush=True)
    print(closed, flush=True)


if __name__ == "__main__":
    main()
