"""Getting a token by password (API reference, sections 3.2 and 3.3)."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.upstream.settings import CloudSettings
from gateway.upstream.token import Token
from gateway.upstream.transport import HttpReply, Transport


class PasswordSignIn:
    """Fetches project-scoped tokens for one IAM user."""

    def __init__(self, transport: Transport, settings: CloudSettings, clock: Callable[[], float] = time.time) -> None:
        self._transport = transport
        self._settings = settings
        self._clock = clock
        # The catalogue of services makes the reply and the token tens of kilobytes longer, and is not used.
        self._url = f"{settings.endpoints().iam}/v3/auth/tokens?nocatalog=true"

    async def fetch(self) -> Token:
        """Get a new token. Raises `GatewayError`, `UPSTREAM_AUTHENTICATION_FAILED` for wrong credentials."""
        reply = await self._transport.post(self._url, headers={}, body=json.dumps(self._request()).encode())
        if reply.status != 201:
            raise _refusal(reply)
        return _read_token(reply, self._clock())

    def _request(self) -> dict[str, Any]:
        settings = self._settings
        project = {"id": settings.project_id} if settings.project_id else {"name": settings.project or settings.region}
        try:
            password = settings.read_password()
        except ValueError as error:
            raise GatewayError(Reason.UPSTREAM_AUTHENTICATION_FAILED, "the cloud password cannot be read") from error
        user = {"name": settings.user, "password": password, "domain": {"name": settings.domain}}
        identity = {"methods": ["password"], "password": {"user": user}}
        return {"auth": {"identity": identity, "scope": {"project": project}}}


def _refusal(reply: HttpReply) -> GatewayError:
    detail = UpstreamDetail(http_status=reply.status, request_id=reply.request_id)
    if reply.status in {400, 401, 403, 404}:
        # The body is not quoted: identity services echo parts of the request.
        return GatewayError(
            Reason.UPSTREAM_AUTHENTICATION_FAILED,
            f"the cloud's identity service refused the gateway's user, password, domain or project (HTTP {reply.status})",
            upstream=detail,
        )
    if reply.status == 429:
        return GatewayError(Reason.UPSTREAM_THROTTLED, "the cloud's identity service is throttling", upstream=detail)
    if reply.status >= 500:
        return GatewayError(
            Reason.UPSTREAM_UNAVAILABLE, f"the cloud's identity service failed (HTTP {reply.status})", upstream=detail
        )
    return GatewayError(
        Reason.UPSTREAM_BAD_RESPONSE,
        f"the cloud's identity service answered HTTP {reply.status} instead of 201",
        upstream=detail,
    )


def _read_token(reply: HttpReply, now: float) -> Token:
    try:
        value = reply.headers["X-Subject-Token"]
        body: Mapping[str, Any] = json.loads(reply.body)["token"]
        expires_at = _read_time(body["expires_at"])
        issued_at = _read_time(body["issued_at"]) if "issued_at" in body else now
        project_id = body["project"]["id"]
        if not (isinstance(project_id, str) and project_id and value):
            raise ValueError  # noqa: TRY301  # joins the malformed replies below
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise GatewayError(
            Reason.UPSTREAM_BAD_RESPONSE,
            "the identity service's reply lacks a token, its expiry or its project; is the scope a project?",
            upstream=UpstreamDetail(http_status=reply.status, request_id=reply.request_id),
        ) from error
    return Token(value=value, project_id=project_id, issued_at=issued_at, expires_at=expires_at)


def _read_time(text: str) -> float:
    """Seconds since the epoch of an ISO 8601 time, with or without fractional seconds (the service sends both)."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
