"""The cloud as a provider."""

import time
from collections.abc import Callable
from typing import Any, Final, TypedDict

from prometheus_client import CollectorRegistry

from gateway.call import UNHURRIED, Call
from gateway.errors import GatewayError, Reason
from gateway.media import (
    EnhancementParameters,
    EnhancementReply,
    ImageUri,
    MediaSource,
    MusicMatch,
    MusicReply,
    PreparedImage,
    TaggingParameters,
    TaggingReply,
)
from gateway.upstream.client import Answer, CloudClient, Service
from gateway.upstream.course import Form, Source
from gateway.upstream.credentials.factory import opened_credential
from gateway.upstream.credentials.token_store import TokenStore
from gateway.upstream.metrics import UpstreamMetrics
from gateway.upstream.operations import MUSIC, TAGGING_BY_VERSION, enhancement_of
from gateway.upstream.parameters import MusicParameters
from gateway.upstream.policies import Policies
from gateway.upstream.settings import CloudSettings
from gateway.upstream.spending import Spending, Unlimited
from gateway.upstream.transport import Transport

_POOL_SIZE: Final = 1000
"""The most that `limit.concurrency` allows, which can be raised while the pool is in use; the limiter bounds the calls."""


class _Origin(TypedDict):
    provider: str
    attempts: int
    request_ids: tuple[str, ...]
    queue_time: float
    work_time: float


class CloudProvider:
    """The operations of the cloud's REST API.

    Construct it inside the event loop that it is used in, and `aclose()` it at the end.
    """

    name: Final = "cloud"
    downloads_recordings: Final = True
    decodes_here: Final = False

    def __init__(
        self,
        settings: CloudSettings,
        policies: Policies | None = None,
        registry: CollectorRegistry | None = None,
        token_store: TokenStore | None = None,
        clock: Callable[[], float] = time.time,
        *,
        spending: Spending | None = None,
    ) -> None:
        """`registry`: where its metrics go. `token_store` shares tokens with other replicas, instead of what the settings name.
        `clock` returns seconds since the epoch. `spending`: what calls may cost, if that is bounded.

        Raises `ValueError` naming the setting that is missing or wrong.
        """
        settings.check_complete()
        policies = policies or Policies()
        endpoint = settings.endpoints().image
        self.downloads_images = settings.uris == "pass_on"
        self._settings = settings
        self._endpoint = endpoint
        self._transport = Transport(
            connect_timeout=settings.connect_timeout, timeout=settings.timeout, pool_size=_POOL_SIZE, clock=clock
        )
        self._credential = opened_credential(settings, self._transport, clock=clock, store=token_store)
        spending = spending or Unlimited()
        metrics = UpstreamMetrics(registry or CollectorRegistry(), spending.is_listed)
        # An object store of a private cloud has regions of its own.
        region = settings.region if settings.endpoint is None else None
        service = Service(endpoint, region)
        self.client: Final = CloudClient(service, self._transport, self._credential, policies, metrics, spending=spending)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._credential.aclose()
        await self._transport.aclose()

    async def check(self) -> None:
        """Raise `GatewayError` if the cloud would not take a call now: no credentials are to be had, those of the last call were
        refused, or nobody answers."""
        await self._credential.check()
        self.client.check()
        await self._transport.reach(self._endpoint + "/")

    async def tag(self, image: PreparedImage | ImageUri, parameters: TaggingParameters, call: Call = UNHURRIED) -> TaggingReply:
        """Tag one picture. Raises `GatewayError`."""
        source = image if isinstance(image, ImageUri) else image.data
        answer = await self.client.call(TAGGING_BY_VERSION[parameters.version], source, parameters, call)
        return TaggingReply(tags=answer.result, **self._origin(answer))

    async def enhance(self, image: PreparedImage, parameters: EnhancementParameters, call: Call = UNHURRIED) -> EnhancementReply:
        """Brighten, defog or enlarge one picture. Raises `GatewayError`."""
        source: Source = image.data
        if self._settings.enhancement_form:
            source = Form(image.data, f"image/{(image.sent or image.facts).format}")
        answer = await self.client.call(enhancement_of(parameters), source, parameters, call)
        return EnhancementReply(image=answer.result.data, facts=answer.result.facts, **self._origin(answer))

    async def recognize_music(self, source: MediaSource, call: Call = UNHURRIED) -> MusicReply:
        """Name the music in one recording, of which the cloud takes the URL only. Raises `GatewayError`."""
        if not isinstance(source, ImageUri):
            raise GatewayError(
                Reason.UNIMPLEMENTED,
                "the cloud takes recordings by URL only: give one, or have provider = 'local' recognise the recording",
                field="content",
            )
        answer = await self.client.call(MUSIC, source, MusicParameters(), call)
        match = None if answer.result is None else MusicMatch(answer.result, confidence=0.0, offset_seconds=0.0)
        return MusicReply(match=match, **self._origin(answer))

    def _origin(self, answer: Answer[Any]) -> _Origin:
        return _Origin(
            provider=self.name,
            attempts=answer.attempts,
            request_ids=answer.request_ids,
            queue_time=answer.queue_time,
            work_time=answer.work_time,
        )
