"""Getting a token by password (API reference, sections 3.2 and 3.3)."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.credentials.cloud_clock import CloudClock
from gateway.upstream.credentials.identity import Sender, identity_refusal, read_time, reply_to
from gateway.upstream.credentials.project import is_project_id
from gateway.upstream.credentials.token import Token
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply
from gateway.upstream.settings import CloudSettings


class PasswordSignIn:
    """Fetches project-scoped tokens for one IAM user."""

    def __init__(self, sender: Sender, settings: CloudSettings, clock: CloudClock) -> None:
        self._sender = sender
        self._settings = settings
        self._clock = clock
        self._url = f"{settings.endpoints().iam}/v3/auth/tokens"

    async def fetch(self) -> Token:
        """Get a new token, in one try. Raises `GatewayError`, `UPSTREAM_AUTHENTICATION_FAILED` for wrong credentials."""
        outgoing = Outgoing(
            "POST",
            self._url,
            # The catalogue of services makes the reply and the token tens of kilobytes longer, and is not used.
            query=(("nocatalog", "true"),),
            headers={"Content-Type": "application/json"},
            body=json.dumps(await self._request()).encode(),
        )
        reply = await reply_to(self._sender, outgoing, {})
        if reply.status != 201:
            raise identity_refusal(reply, "user, password, domain or project", 201)
        # By a clock that is a day ahead every new token would look expired, and each call would sign in.
        self._clock.learn(reply)
        return _read_token(reply, self._clock())

    async def _request(self) -> dict[str, Any]:
        settings = self._settings
        project = {"id": settings.project_id} if settings.project_id else {"name": settings.project or settings.region}
        try:
            password = await asyncio.to_thread(settings.secret, "password")
        except ValueError as error:
            raise GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "the cloud password cannot be read") from error
        user = {"name": settings.user, "password": password, "domain": {"name": settings.domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return {"auth": {"identity": identity, "scope": {"project": project}}}


def _read_token(reply: HttpReply, now: float) -> Token:
    try:
        value = reply.headers["X-Subject-Token"]
        body: Mapping[str, Any] = json.loads(reply.body)["token"]
        expires_at = read_time(body["expires_at"])
        issued_at = read_time(body["issued_at"]) if "issued_at" in body else now
        project_id = body["project"]["id"]
        if not (is_project_id(project_id) and value):
            raise ValueError  # noqa: TRY301  # joins the malformed replies below
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise GatewayError(
            Reason.UPSTREAM_BAD_RESPONSE,
            "the identity service's reply lacks a token, its expiry or its project; is the scope a project?",
            upstream=UpstreamDetail(http_status=reply.status, request_id=reply.request_id),
        ) from error
    return Token(value=value, project_id=project_id, issued_at=issued_at, expires_at=expires_at)
