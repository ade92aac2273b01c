"""Idempotent requests (AIP-155): whoever sends one again under the same id gets the response of the first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from google.protobuf import message

from gateway.cache.flights import Flights
from gateway.cache.key import digest, subject_digest
from gateway.cache.store import AnswerStore
from gateway.call import Call
from gateway.errors import GatewayError, Reason
from gateway.media import ImageContent, ImageSource, MediaContent, MediaSource

MAX_REQUEST_ID_CHARS: Final = 64

_DIGEST_BYTES: Final = 32

_Response = TypeVar("_Response", bound=message.Message)


@dataclass(frozen=True, slots=True)
class NamedRequest:
    """A request that its client gave an id.

    `method`: its full name; ids of different methods have nothing to do with each other. `meaning`: 32 bytes that differ if
    anything is asked differently, of `meaning_of`.
    """

    method: str
    request_id: str
    meaning: bytes


@dataclass(slots=True)
class _Claim:
    """What an id stands for while calls with it are under way."""

    meaning: bytes
    calls: int = 0


class Replay:
    """Responses to named requests, for one event loop.

    Requests of one id that come together are one piece of work, which ends early only if all of them have left. A failure is told
    to those that wait for it and not kept.
    """

    def __init__(self, store: AnswerStore, *, window: float) -> None:
        """`store` bounds what is kept; what it forgets is done anew. `window`: seconds for which a response is kept."""
        self._store = store
        self.window = window
        self._claims: dict[bytes, _Claim] = {}
        self._flights: Flights[tuple[Any, bool]] = Flights()  # a key is of one kind of response

    async def __call__(
        self, request: NamedRequest, call: Call, kind: type[_Response], work: Callable[[], Awaitable[_Response]]
    ) -> tuple[_Response, bool]:
        """The response to `request`, of type `kind`, a message of the caller's own; and whether another call began the work.

        Raises what `work` raises; `GatewayError` with `INVALID_ARGUMENT` if the id stands for another request: a mistake of the
        client, which fails however often it is sent, so nothing that suggests a conflict to be waited for.
        """
        key = digest(b"replay", call.tenant.encode(), request.method.encode(), request.request_id.encode())
        claim = self._claims.setdefault(key, _Claim(request.meaning))
        if claim.meaning != request.meaning:
            raise _stands_for_another()
        claim.calls += 1
        try:
            (response, kept), shared = await self._flights.join(key, lambda: self._responded(key, request, kind, work), call)
        finally:
            claim.calls -= 1
            if not claim.calls:
                del self._claims[key]
        own = kind()
        own.CopyFrom(response)
        return own, kept or shared

    async def _responded(
        self, key: bytes, request: NamedRequest, kind: type[_Response], work: Callable[[], Awaitable[_Response]]
    ) -> tuple[_Response, bool]:
        kept = await self._store.get(key)
        if kept is not None:
            if kept[:_DIGEST_BYTES] != request.meaning:
                raise _stands_for_another()
            return kind.FromString(kept[_DIGEST_BYTES:]), True
        response = await work()
        await self._store.put(key, request.meaning + response.SerializeToString(), self.window)
        return response, False


async def meaning_of(source: ImageSource | MediaSource, *wishes: bytes) -> bytes:
    """The 32 bytes by which a request for `source` is known to be the same: what it is about, and what is wanted of it."""
    subject = MediaContent(source.data) if isinstance(source, ImageContent) else source
    return digest(await subject_digest(subject), *wishes)


def check_request_id(request_id: str) -> None:
    """Raise `GatewayError` for an id that is too long. An empty one stands for none."""
    if len(request_id) > MAX_REQUEST_ID_CHARS:
        raise GatewayError(
            Reason.INVALID_ARGUMENT,
            f"request_id has {len(request_id)} characters; it must have at most {MAX_REQUEST_ID_CHARS}",
            field="request_id",
            measured=f"{len(request_id)} characters",
            allowed=f"at most {MAX_REQUEST_ID_CHARS} characters",
        )


def _stands_for_another() -> GatewayError:
    return GatewayError(
        Reason.INVALID_ARGUMENT,
        "request_id stands for another request, which was sent before; give every request an id of its own",
        field="request_id",
    )
