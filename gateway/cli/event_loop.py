"""The event loop of a process that speaks gRPC."""

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVarTuple, Unpack

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

_GRPC_QUEUE: Final = "PollerCompletionQueue"
_MOST: Final = 1 << 16

_Args = TypeVarTuple("_Args")


class EventLoop(asyncio.SelectorEventLoop):
    """Handles as many of gRPC's events in one turn as there are.

    A thread of gRPC's queues them and writes a byte for each to a pair of sockets; what handles them empties the queue but reads
    one byte (`_cython/_cygrpc/aio/completion_queue.pyx.pxi`, 1.85). Once more events come than turns are made, the bytes fill the
    sockets, at 278 on Linux, and the thread waits: from then on there is one event in each turn, and each step of each call, a
    health check's included, waits for all before it.
    """

    def add_reader(self, fd: "FileDescriptorLike", callback: Callable[[Unpack[_Args]], Any], *args: *_Args) -> None:
        """Have `callback` called whenever there is something to read."""
        owner = getattr(getattr(callback, "func", callback), "__self__", None)
        if type(owner).__name__ == _GRPC_QUEUE and isinstance(fd, socket.socket):
            callback = _emptied(fd, callback)
        super().add_reader(fd, callback, *args)


def _emptied(waking: socket.socket, handle: Callable[[Unpack[_Args]], Any]) -> Callable[[Unpack[_Args]], Any]:
    """`handle` with no more than one byte left to read: an event is queued before its byte is written, so none is missed."""

    def handled(*args: *_Args) -> None:
        try:
            count = len(waking.recv(_MOST, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:  # another loop of this process was quicker, and hands over what is for this one
            return
        if count > 1:
            waking.recv(count - 1, socket.MSG_DONTWAIT)
        handle(*args)

    return handled
