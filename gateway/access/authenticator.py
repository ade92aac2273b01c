"""Authenticators are interchangeable: each knows one kind of credential, the settings say which are asked, in which order."""

from collections.abc import Sequence
from typing import Protocol

from gateway.access.identity import NOBODY, Identity, RefusedError, Shown


class Authenticator(Protocol):
    """Knows callers by one kind of credential."""

    @property
    def kind(self) -> str:
        """Its name in the settings and in metrics."""

    @property
    def wanted(self) -> str:
        """What a caller would have to send, in words."""

    async def identify(self, shown: Shown) -> Identity | None:
        """Who calls; None if `shown` holds nothing of its kind. Raises `RefusedError` if what it holds is not valid."""


class Authentication:
    """Asks one authenticator after the other: the first that finds a credential of its kind decides."""

    def __init__(self, authenticators: Sequence[Authenticator], *, allow_anonymous: bool) -> None:
        """`allow_anonymous`: whether whoever shows nothing is let in, too. Without authenticators everybody is."""
        self._authenticators = authenticators
        self._allow_anonymous = allow_anonymous or not authenticators

    @property
    def is_on(self) -> bool:
        """Whether anything vouches for who calls."""
        return bool(self._authenticators)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Of the authenticators."""
        return tuple(authenticator.kind for authenticator in self._authenticators)

    async def identify(self, shown: Shown) -> Identity:
        """Who calls. Raises `RefusedError`."""
        for authenticator in self._authenticators:
            identity = await authenticator.identify(shown)
            if identity is not None:
                return identity
        if self._allow_anonymous and not (self._authenticators and shown.claims):
            return NOBODY
        wanted = " or ".join(authenticator.wanted for authenticator in self._authenticators)
        if shown.unsupported:
            message = f"the call's authorization is no bearer token, and of no kind that this gateway knows; it takes {wanted}"
            raise RefusedError("", "unsupported", message)
        if shown:
            raise RefusedError("", "unknown", f"the credentials of the call are none that this gateway knows; it takes {wanted}")
        raise RefusedError("", "missing", f"the call carries no credentials; this gateway takes {wanted}")
