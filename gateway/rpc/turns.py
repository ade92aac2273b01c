"""Items of streams wait for their tenant's turn before their bytes are held: so does flow control hold their client back."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from google.protobuf import duration_pb2

from gateway.access.gate import Caller
from gateway.call import Call
from gateway.errors import GatewayError
from gateway.rpc.caller import with_timeout


@dataclass(frozen=True, slots=True)
class Admitted:
    """An item whose turn has come, or never came.

    `call`: the item as a call of its own, with the deadline that it had before it waited. `release`: to be called once it is not
    at work any more.
    """

    call: Call
    release: Callable[[], None]
    refusal: GatewayError | None = None

    def check(self) -> None:
        """Raise why it is refused, if it is."""
        if self.refusal is not None:
            raise self.refusal


async def admitted(caller: Caller, call: Call, timeout: duration_pb2.Duration | None = None) -> Admitted:
    """Wait for the turn of an item of `call`, at most for its own `timeout`, if it has one."""
    try:
        if timeout is not None:
            call = with_timeout(call, timeout, time.monotonic())
        return Admitted(call, await caller.turn(call))
    except GatewayError as error:
        return Admitted(call, _nothing, error)


def _nothing() -> None:
    """The end of an item that was not let in."""
