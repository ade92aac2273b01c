"""What a caller shows, and who it is by that."""

import math
from dataclasses import dataclass, field

from gateway.access.verdicts import REFUSALS
from gateway.errors import GatewayError, Reason


@dataclass(frozen=True, slots=True)
class Shown:
    """The credentials of one call, unjudged. Empty is what was not sent.

    `bearer`: what follows `Bearer` in `authorization`. `api_key`: of `x-api-key`. `names`: of the certificate that the caller has
    proved to own and a trusted authority has signed, each with its kind: `dns:front.internal`, `uri:spiffe://…`, `ip:10.1.2.3`,
    `email:…`, `cn:…`. `unsupported`: whether `authorization` holds something else than a bearer token.
    """

    bearer: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    names: tuple[str, ...] = ()
    unsupported: bool = False

    def __bool__(self) -> bool:
        return bool(self.bearer or self.api_key or self.names or self.unsupported)

    @property
    def claims(self) -> bool:
        """Whether the caller says who it is by this call, and not only by its connection."""
        return bool(self.bearer or self.api_key or self.unsupported)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls. `kind`: the authenticator that says so, empty for nobody.

    By the others it is noticed, while a stream goes on, that this is so no more. `key_id`: of the API key. `certificates`: the
    names by which the tenant was found. `subject`: what the token calls the tenant. `until`: when the credentials end, in seconds
    since the epoch, where they say so themselves.
    """

    tenant: str
    kind: str = ""
    key_id: str = ""
    certificates: tuple[str, ...] = ()
    subject: str = ""
    until: float = math.inf


NOBODY = Identity("")
"""A caller that shows nothing, where that is allowed."""


class RefusedError(GatewayError):
    """Credentials that are not taken. `why`: one word for metrics, out of few."""

    def __init__(self, kind: str, why: str, message: str) -> None:
        """`kind`: the authenticator that refuses, empty if none took them up. `message` quotes nothing of what was shown.

        Raises `ValueError` for what `REFUSALS` does not list.
        """
        if why not in REFUSALS[kind]:
            msg = f"{why} of {kind!r} is not in the list of refusals"  # or alerts would miss the first of them
            raise ValueError(msg)
        super().__init__(Reason.UNAUTHENTICATED, message)
        self.kind = kind
        self.why = why
