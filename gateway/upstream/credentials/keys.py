"""The credential that is an access key, permanent or temporary: every request is signed with it."""

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.errors import GatewayError, Reason
from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.cloud_clock import CloudClock
from gateway.upstream.credentials.identity import Sender, identity_refusal, reply_to
from gateway.upstream.credentials.key_sources import KeySource
from gateway.upstream.credentials.project import Project, project_query, read_project
from gateway.upstream.credentials.protocol import Holding
from gateway.upstream.credentials.renewed import FAILURE_HOLD, Renewed
from gateway.upstream.credentials.retried import Retried
from gateway.upstream.credentials.signer import signed
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply
from gateway.upstream.settings import CloudSettings

ASKED_AGAIN_AFTER: Final = 60.0
"""Seconds for which a source that had no other key than the refused one is not asked for another."""


class KeysCredential:
    """Calls by signature. The project is the one that is set, the one that the key's source names, or looked up once."""

    def __init__(
        self,
        source: KeySource,
        sender: Sender,
        settings: CloudSettings,
        clock: CloudClock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        """`sender` asks the identity service for the project, if need be; `sleep` and `random` are those of `Retried`."""
        self._sender = sender
        self._settings = settings
        self._clock = clock
        keys = Retried(source.fetch, sleep=sleep, random=random)
        self._keys = Renewed("access key", keys.fetch, clock, longest_hold=FAILURE_HOLD)
        look_up = Retried(self._look_up, sleep=sleep, random=random)
        self._project = Renewed("project id", look_up.fetch, clock)
        self._refused: tuple[AccessKey, float] | None = None  # the last one, and when

    async def grant(self) -> "KeyGrant":
        """A grant by the current key. Raises `GatewayError`."""
        key = await self._keys.get()
        project_id = self._settings.project_id or key.project_id
        if not project_id:
            project_id = (await self._project.get()).id
            key = await self._keys.get()  # the look-up may have found the first one refused
        return self._grant_by(key, project_id)

    async def check(self) -> None:
        """Raise `GatewayError` if no key is to be had, or no project for it. Whether the service takes it shows in calls."""
        await self.grant()

    def holding(self) -> Holding:
        """The key, and how often its source was asked."""
        return self._keys.holding()

    async def aclose(self) -> None:
        """Stop what is under way."""
        await self._project.aclose()
        await self._keys.aclose()

    def replace(self, key: AccessKey) -> bool:
        """Have the source asked for another key than `key`, which was refused; returns whether that is worth another attempt."""
        if self._keys.value != key:
            return True  # there is another one already, or it is being fetched
        now = self._clock()
        if self._refused is not None:
            refused, at = self._refused
            if refused == key and at <= now < at + ASKED_AGAIN_AFTER:
                return False
        self._refused = (key, now)
        self._keys.drop(key)
        return True

    def _grant_by(self, key: AccessKey, project_id: str) -> "KeyGrant":
        return KeyGrant(key, project_id, self, self._clock, self._clock.correction)

    async def _look_up(self) -> Project:
        name = self._settings.project or self._settings.region
        outgoing = project_query(self._settings.endpoints().iam, name)
        attempts = 0
        while True:
            attempts += 1
            grant = self._grant_by(await self._keys.get(), "")
            reply = await reply_to(self._sender, outgoing, grant.headers(outgoing))
            if reply.status == 200:
                return read_project(reply, name)
            refusal = identity_refusal(reply, "look-up of its project's id, which cloud.project_id makes needless", 200)
            is_of_key = refusal.reason is Reason.UPSTREAM_AUTHENTICATION_FAILED
            if attempts > 1 or not is_of_key or not grant.refused(refusal, reply):
                raise refusal


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """One attempt by signature."""

    key: AccessKey
    project_id: str
    """Empty in the look-up of it."""
    credential: KeysCredential
    clock: CloudClock
    correction: float
    """The clock's, when the grant was made."""

    def headers(self, outgoing: Outgoing) -> Mapping[str, str]:
        """The signature, and all that it covers."""
        if not self.project_id:
            return signed(outgoing, self.key, self.clock())
        project = {"X-Project-Id": self.project_id}
        return project | signed(dataclasses.replace(outgoing, headers={**outgoing.headers, **project}), self.key, self.clock())

    def accepted(self) -> None:
        """Nothing follows from it."""

    def refused(self, refusal: GatewayError, reply: HttpReply) -> bool:  # noqa: ARG002  # the protocol's
        """Another attempt makes sense if the clock was wrong, or if the key's source may have another key."""
        self.clock.learn(reply)
        return self.clock.correction != self.correction or self.credential.replace(self.key)
