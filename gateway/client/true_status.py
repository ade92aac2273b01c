"""What the server said of a call that it ended while the client was writing."""

from typing import Any


def keep_true_status(call: Any) -> None:  # noqa: ANN401  # gRPC's calls and its stubs' have no public type in common
    """Have `call`, just started, end with the server's status even if a write fails first.

    grpcio's asyncio client would make `INTERNAL` of it (grpc/grpc#36066), and nobody would learn that a gateway is stopping, and
    that what it has not answered can be sent again. There is no public way around; with a grpcio that is made otherwise nothing
    is done here, and such a status is read as a broken connection.
    """
    core = getattr(call, "_cython_call", None)
    if hasattr(core, "set_internal_error"):
        call._cython_call = _TrueStatus(core)  # noqa: SLF001  # see above


class _TrueStatus:
    """A call of gRPC's core that waits for its status instead of taking the one that is put upon it."""

    def __init__(self, core: Any) -> None:  # noqa: ANN401  # has no type
        self._core = core

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # likewise
        return getattr(self._core, name)

    def set_internal_error(self, details: str) -> None:
        """Leave the status to the server, which ended the call: that is why the write failed."""
