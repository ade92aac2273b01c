"""What the client asks of any credential: something to send with one attempt, and whether another attempt makes sense."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from gateway.errors import GatewayError
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply


class Grant(Protocol):
    """The right to make one attempt. Take a new one for each: what it stands for may have been replaced meanwhile."""

    @property
    def project_id(self) -> str:
        """The project that is called, as paths spell it."""

    def headers(self, outgoing: Outgoing) -> Mapping[str, str]:
        """What to send besides `outgoing.headers`, or in their place, made for exactly this request and this moment.

        Pure, and safe to call in a thread: signing reads the whole body. Values are text, to be sent as UTF-8. Send nothing else:
        whatever is added to a signed request may break the signature, `User-Agent` and what the connection needs apart.
        """

    def accepted(self) -> None:
        """The service took the grant: the call succeeded."""

    def refused(self, refusal: GatewayError, reply: HttpReply) -> bool:
        """The service did not accept the grant, as `reply` says: is one more attempt, with a new grant, worth it?

        Call it inside the event loop, for `Outcome.UNAUTHENTICATED` only, once for each grant, in the task that takes the new
        grant next.
        """


class Holding(NamedTuple):
    """What a credential holds now: a token or an access key. Times are seconds, NaN while there is nothing."""

    age: float
    """Since it was fetched."""
    remaining: float
    """Until it ends; infinity if it never does."""
    fetches: int
    """How often one was fetched, so far."""
    failures: int
    """How often none was to be had."""


class Credential(Protocol):
    """Where grants come from. Lives inside one event loop."""

    async def grant(self) -> Grant:
        """A grant that is valid now. Raises `GatewayError` if none is to be had."""

    async def check(self) -> None:
        """Raise `GatewayError` if no grant is to be had now."""

    def holding(self) -> Holding:
        """What is held now, for whoever watches."""

    async def aclose(self) -> None:
        """Stop what is under way."""
