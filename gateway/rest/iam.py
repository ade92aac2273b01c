"""A small identity service: one user, one project, self-contained tokens (API reference, sections 3.2 and 6.4)."""

import base64
import hashlib
import hmac
import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import web

from gateway.rest.settings import RestSettings

_DOMAIN_SCOPE: Final = ""


class SignInError(Exception):
    """A token request that is refused: HTTP status, title, message."""

    def __init__(self, status: int, title: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.title = title

    def response(self) -> web.Response:
        """The reply, in the identity service's own form."""
        return web.json_response({"error": {"code": self.status, "message": str(self), "title": self.title}}, status=self.status)


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a valid token says. `project_id` is empty for a token that is scoped to the domain only."""

    project_id: str
    expires_at: float


class Iam:
    """Issues tokens and reads them back. A token is its claims and their HMAC; nothing is stored, a restart ends them all."""

    def __init__(self, settings: RestSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._domain_id = uuid.uuid5(uuid.NAMESPACE_URL, f"domain:{settings.domain}").hex
        self._user_id = uuid.uuid5(uuid.NAMESPACE_URL, f"user:{settings.domain}:{settings.user}").hex

    def issue(self, request: object) -> tuple[str, dict[str, Any]]:
        """Check a sign-in and return a token and the reply's body. Raises `SignInError`."""
        auth = _member(request, "auth")
        identity = _member(auth, "identity")
        if identity.get("methods") != ["password"]:
            raise SignInError(400, "Bad Request", 'auth.identity.methods must be ["password"]')
        user = _member(_member(identity, "password"), "user")
        self._check_user(user)
        project_id = self._scope(auth.get("scope"))
        now = int(self._clock())
        expires_at = now + self._settings.token_lifetime
        claims = {"project": project_id, "exp": expires_at, "id": secrets.token_hex(8)}
        return self._sign(claims), self._body(project_id, now, expires_at)

    def read(self, token: str) -> TokenClaims | None:
        """Return what `token` says, or None if it is not one of ours or has expired."""
        payload, _, signature = token.partition(".")
        if not hmac.compare_digest(_bytes(signature), self._mac(payload).encode()):
            return None
        claims = json.loads(base64.urlsafe_b64decode(payload))
        if self._clock() >= claims["exp"]:
            return None
        return TokenClaims(project_id=claims["project"], expires_at=claims["exp"])

    def projects(self, name: str | None) -> dict[str, Any]:
        """The reply to `GET /v3/projects`."""
        found = [self._project()] if name in {None, self._settings.project} else []
        return {"projects": found, "links": {"self": "/v3/projects", "next": None, "previous": None}}

    def _check_user(self, user: dict[str, Any]) -> None:
        settings = self._settings
        name, password = user.get("name"), user.get("password")
        domain = _member(user, "domain").get("name")
        expected = settings.password.get_secret_value() if settings.password else None
        known = name == settings.user and domain == settings.domain and expected is not None and isinstance(password, str)
        # Compared whether or not the name is known, so that the time taken tells nothing about names.
        same = hmac.compare_digest(_bytes(str(password)), (expected or secrets.token_hex(16)).encode())
        if not (known and same):
            raise SignInError(401, "Unauthorized", "The username or password is wrong.")

    def _scope(self, scope: object) -> str:
        """The id of the project asked for; empty for a domain scope or none."""
        if not isinstance(scope, dict) or "project" not in scope:
            return _DOMAIN_SCOPE
        project = _member(scope, "project")
        if project.get("id", self._settings.project_id) != self._settings.project_id or (
            "id" not in project and project.get("name") != self._settings.project
        ):
            raise SignInError(401, "Unauthorized", "The project is unknown, or the user has no access to it.")
        return self._settings.project_id

    def _project(self) -> dict[str, Any]:
        settings = self._settings
        return {
            "id": settings.project_id,
            "name": settings.project,
            "domain_id": self._domain_id,
            "parent_id": self._domain_id,
            "is_domain": False,
            "enabled": True,
            "description": "",
            "links": {"self": f"/v3/projects/{settings.project_id}"},
        }

    def _body(self, project_id: str, issued_at: int, expires_at: int) -> dict[str, Any]:
        settings = self._settings
        domain = {"id": self._domain_id, "name": settings.domain}
        token: dict[str, Any] = {
            "methods": ["password"],
            "issued_at": _timestamp(issued_at),
            "expires_at": _timestamp(expires_at),
            "user": {"id": self._user_id, "name": settings.user, "domain": domain},
            "catalog": [],
            "roles": [],
        }
        if project_id == _DOMAIN_SCOPE:
            token["domain"] = domain
        else:
            token["project"] = {"id": project_id, "name": settings.project, "domain": domain}
        return {"token": token}

    def _sign(self, claims: dict[str, Any]) -> str:
        payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
        return f"{payload}.{self._mac(payload)}"

    def _mac(self, payload: str) -> str:
        return hmac.new(self._key, _bytes(payload), hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    """UTF-8, of lone surrogates too: JSON can spell them, and header bytes that are no UTF-8 arrive as such."""
    return text.encode(errors="surrogatepass")


def _member(document: object, name: str) -> dict[str, Any]:
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise SignInError(400, "Bad Request", f"The request body lacks the object {name!r}.")
    return value


def _timestamp(seconds: int) -> str:
    """The identity service's form: six fractional digits and a Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
