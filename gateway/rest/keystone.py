"""The identity service's documents (API reference, sections 3.2 and 6.4), in the form of OpenStack's Keystone v3."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from gateway.rest.accounts import AccessKey, Domain, Project
from gateway.rest.session import Session


class SignInError(Exception):
    """A request to the identity service that is refused: HTTP status, title, message."""

    def __init__(self, status: int, title: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.title = title

    def response(self) -> web.Response:
        """The reply, in the identity service's own form."""
        return web.json_response({"error": {"code": self.status, "message": str(self), "title": self.title}}, status=self.status)


def malformed(message: str) -> SignInError:
    """The refusal of a request that is not of the documented form."""
    return SignInError(400, "Bad Request", message)


def unauthorized(message: str) -> SignInError:
    """The refusal of wrong credentials, or of what they do not reach."""
    return SignInError(401, "Unauthorized", message)


def member(document: object, name: str) -> dict[str, Any]:
    """The object `name` of an object. Raises `SignInError`."""
    value = document.get(name) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise malformed(f"The request body lacks the object {name!r}.")
    return value


def token_document(session: Session) -> dict[str, Any]:
    """The body that goes with a token."""
    user = session.user
    domain = _domain_reference(user.domain)
    token: dict[str, Any] = {
        "methods": [session.method],
        "issued_at": timestamp(session.issued_at),
        "expires_at": timestamp(session.expires_at),
        "user": {"id": user.id, "name": user.name, "domain": domain},
        "catalog": [],
        "roles": [],
    }
    if session.project is None:
        token["domain"] = domain
    else:
        token["project"] = {"id": session.project.id, "name": session.project.name, "domain": domain}
    return {"token": token}


def projects_document(projects: Iterable[Project]) -> dict[str, Any]:
    """The reply to `GET /v3/projects`."""
    entries = [
        {
            "id": project.id,
            "name": project.name,
            "domain_id": project.domain.id,
            "parent_id": project.domain.id,
            "is_domain": False,
            "enabled": project.enabled,
            "description": "",
            "links": {"self": f"/v3/projects/{project.id}"},
        }
        for project in projects
    ]
    return {"projects": entries, "links": _links("/v3/projects")}


def domains_document(domain: Domain) -> dict[str, Any]:
    """The reply to `GET /v3/auth/domains`: a user has one."""
    entry = {**_domain_reference(domain), "enabled": True, "description": "", "links": {"self": f"/v3/domains/{domain.id}"}}
    return {"domains": [entry], "links": _links("/v3/auth/domains")}


def credential_document(key: AccessKey) -> dict[str, Any]:
    """The reply to `POST /v3.0/OS-CREDENTIAL/securitytokens`; `key` is a temporary one."""
    return {
        "credential": {
            "access": key.access_key,
            "secret": key.secret_key,
            "securitytoken": key.security_token,
            "expires_at": timestamp(key.expires_at or 0),
        }
    }


def timestamp(seconds: float) -> str:
    """The identity service's form: six fractional digits and a Z."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _domain_reference(domain: Domain) -> dict[str, Any]:
    return {"id": domain.id, "name": domain.name}


def _links(path: str) -> dict[str, Any]:
    return {"self": path, "next": None, "previous": None}
