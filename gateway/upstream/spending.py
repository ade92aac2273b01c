"""What calls may cost: asked before each request that may be billed, told what became of it."""

from typing import Protocol

from gateway.upstream.outcome import Billed


class Purse(Protocol):
    """The money for one call."""

    async def reserve(self) -> None:
        """Have something set aside for the next request. Raises `GatewayError` if there is no more to be had."""

    async def cover(self) -> None:
        """Give what is set aside to a request that is about to be sent. Raises as `reserve`, if nothing was."""

    def settle(self, billed: Billed) -> None:
        """Tell what became of a request that was covered: what it did not cost covers the next one."""

    def close(self) -> None:
        """Give back what was set aside and not spent."""


class Spending(Protocol):
    """Where the money comes from."""

    def purse(self, tenant: str) -> Purse:
        """One for a call of `tenant`."""

    def is_listed(self, tenant: str) -> bool:
        """Whether the operator knows `tenant` by name: what others are called may be made up."""


class _Bottomless:
    async def reserve(self) -> None:
        """Nothing is counted."""

    async def cover(self) -> None:
        """Likewise."""

    def settle(self, billed: Billed) -> None:
        """Likewise."""

    def close(self) -> None:
        """Likewise."""


class Unlimited:
    """Calls may cost what they cost."""

    def purse(self, tenant: str) -> Purse:
        """The same for everybody."""
        del tenant
        return _Bottomless()

    def is_listed(self, tenant: str) -> bool:
        """Nobody keeps a list."""
        del tenant
        return False
