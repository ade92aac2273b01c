"""The cloud as a provider: of tags, so far."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Final

from gateway import _native
from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason
from gateway.media import (
    EnhancementParameters,
    EnhancementReply,
    ImageUri,
    MediaSource,
    MusicReply,
    PreparedImage,
    TaggingParameters,
    TaggingReply,
)
from gateway.upstream import tagging
from gateway.upstream.error_codes import refusal_of
from gateway.upstream.iam import PasswordSignIn
from gateway.upstream.settings import CloudSettings
from gateway.upstream.token import TokenCache
from gateway.upstream.transport import HttpReply, Transport

_INLINE_BYTES: Final = 256 << 10
"""Up to this size a request body is built (in well under 0.1 ms) where the call stands; a hop to a thread costs as much."""


class CloudProvider:
    """Image tagging by the cloud's REST API.

    Construct it inside the event loop that it is used in, and `aclose()` it at the end.
    `max_concurrency` calls are in flight at once; the others wait their turn in order of arrival.
    """

    name: Final = "cloud"
    downloads_images: Final = True
    downloads_recordings: Final = True
    decodes_here: Final = False

    def __init__(self, settings: CloudSettings, clock: Callable[[], float] = time.time) -> None:
        """Raises `ValueError` naming the setting that is missing or wrong."""
        settings.check_complete()
        self._endpoint = settings.endpoints().image
        self._transport = Transport(
            connect_timeout=settings.connect_timeout, timeout=settings.timeout, pool_size=settings.max_concurrency
        )
        self._tokens = TokenCache(PasswordSignIn(self._transport, settings, clock).fetch, clock)
        self._slots = asyncio.Semaphore(settings.max_concurrency)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._tokens.aclose()
        await self._transport.aclose()

    async def check(self) -> None:
        """Raise `GatewayError` if the cloud would not take a call now: no token is to be had, or nobody answers."""
        await self._tokens.get()
        await self._transport.reach(self._endpoint + "/")

    async def tag(self, image: PreparedImage | ImageUri, parameters: TaggingParameters, call: Call = UNHURRIED) -> TaggingReply:
        """Tag one picture. Raises `GatewayError`."""
        fields = tagging.request_fields(parameters)
        asked_at = time.perf_counter()
        async with call.bounded(), self._slots:
            started_at = time.perf_counter()
            # Built only once there is a place for the call: what waits holds the picture, not its larger encoding too.
            body = await _request_body(image, fields)
            replies = await self._call(tagging.PATH, body)
            work_time = time.perf_counter() - started_at
        return TaggingReply(
            provider=self.name,
            tags=tagging.read_tags(replies[-1].body, parameters),
            attempts=len(replies),
            request_ids=tuple(reply.request_id for reply in replies if reply.request_id),
            queue_time=started_at - asked_at,
            work_time=work_time,
        )

    async def enhance(
        self,
        image: PreparedImage,  # noqa: ARG002  # the protocol's
        parameters: EnhancementParameters,  # noqa: ARG002  # the protocol's
        call: Call = UNHURRIED,  # noqa: ARG002  # the protocol's
    ) -> EnhancementReply:
        """Refused: enhancement is computed here only."""
        raise _not_by_the_cloud("Enhancement")

    async def recognize_music(self, source: MediaSource, call: Call = UNHURRIED) -> MusicReply:  # noqa: ARG002  # the protocol's
        """Refused: music is recognised here only."""
        raise _not_by_the_cloud("Recognition of music")

    async def _call(self, path: str, body: bytes) -> list[HttpReply]:
        """POST with a token; once more with a new one if the service refuses it. The last reply is a success."""
        replies: list[HttpReply] = []
        while True:
            token = await self._tokens.get()
            url = self._endpoint + path.format(project_id=token.project_id)
            replies.append(await self._transport.post(url, headers={"X-Auth-Token": token.value}, body=body))
            refusal = refusal_of(replies[-1])
            if refusal is None:
                return replies
            if refusal.reason is not Reason.UPSTREAM_AUTHENTICATION_FAILED:
                raise refusal
            self._tokens.reject(token, refusal)
            if len(replies) > 1:
                raise refusal


def _not_by_the_cloud(what: str) -> GatewayError:
    return GatewayError(
        Reason.UNIMPLEMENTED, f"{what} is not passed on to the cloud; a gateway with provider = 'local' computes it itself"
    )


async def _request_body(image: PreparedImage | ImageUri, fields: dict[str, object]) -> bytes:
    if isinstance(image, ImageUri):
        return json.dumps({"url": image.uri, **fields}).encode()
    encoded_fields = json.dumps(fields)
    if len(image.data) <= _INLINE_BYTES:
        return _native.request_body(image.data, encoded_fields)
    return await asyncio.to_thread(_native.request_body, image.data, encoded_fields)
