"""Which refusals of a token are worth a sign-in.

A refused token may be dead for everybody, or one operation may refuse what the others take: the refusal looks the same. So a
sign-in is tried at once, and ever more rarely as long as the new tokens are refused, too.
"""

from collections.abc import Callable
from typing import Final

from gateway.upstream.credentials.token import Token

PAUSE: Final = 5.0
"""Least seconds between two sign-ins because of refusals: as long as nobody gets through if a new token is revoked at once."""

LONGEST_PAUSE: Final = 300.0
"""The pause doubles up to this with each sign-in that did not help."""

_SOON: Final = 10.0
"""A new token that is refused within so many seconds did not help."""


class Refusals:
    """Keeps count of the refusals of the tokens of one account."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` returns seconds since the epoch."""
        self._clock = clock
        self._accepted = ""  # the last token that was; tokens are told apart by value
        self._refused = ""
        self._refused_since = float("-inf")  # when the last refusals without an acceptance among them began
        self._replacement = ""  # what the last sign-in because of a refusal brought
        self._replaced_at = float("-inf")
        self._pause = 0.0
        self._helped = True

    def accept(self, token: Token) -> None:
        """Note that the service took `token`."""
        self._accepted = token.value
        self._refused_since = float("inf")

    def refuse(self, token: Token) -> bool:
        """Note that the service refused `token`; returns whether it is time for a sign-in."""
        now = self._clock()
        if self._refused != token.value or now < self._refused_since:
            self._refused, self._refused_since = token.value, now
        if self._replacement == token.value and now < self._replaced_at + _SOON:
            self._helped = False
        # It was taken, and for a while by nobody any more: however little the last new ones helped, it has died since.
        has_died = self._accepted == token.value and now >= self._refused_since + PAUSE
        # A clock that was set back must not prolong a pause.
        is_too_soon = self._replaced_at <= now < self._replaced_at + self._pause
        return has_died or not is_too_soon

    def replace(self, token: Token | None, new: Token) -> None:
        """Note that a sign-in brought `new` while `token` was held: it counts if that had been refused."""
        if token is None or token.value != self._refused:
            return
        self._pause = PAUSE if self._helped else min(2 * self._pause, LONGEST_PAUSE)
        self._helped = True
        self._replacement, self._replaced_at = new.value, self._clock()
