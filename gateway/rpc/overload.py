"""How many calls are at work at once, and what those beyond that are told."""

import contextlib
from collections.abc import Iterator
from typing import Final

from gateway.errors import GatewayError, Reason

RETRY_AFTER_SECONDS: Final = 1.0
"""What refused callers are asked to wait. Clients spread their attempts by themselves, as retry policies do."""


class Places:
    """A number of places, none of which is waited for."""

    def __init__(self, limit: int, kind: str) -> None:
        """`kind` is what takes the places, in the plural, as the refusal says it."""
        self.limit = limit
        self._kind = kind
        self._taken = 0

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take a place. Raises `GatewayError` with `OVERLOADED` if there is none."""
        if self._taken >= self.limit:
            raise GatewayError(
                Reason.OVERLOADED,
                f"this gateway works on {self.limit} {self._kind}, as many as it may; send the call again later",
                allowed=f"at most {self.limit} {self._kind}",
                retry_after=RETRY_AFTER_SECONDS,
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
