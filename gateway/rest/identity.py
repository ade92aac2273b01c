"""The identity service's paths: those that the vendor's SDK and samples call to sign in and to find project and account."""

import json
from typing import Final

from aiohttp import web

from gateway.rest.access import Access
from gateway.rest.iam import Iam
from gateway.rest.keystone import (
    SignInError,
    credential_document,
    domains_document,
    malformed,
    projects_document,
    token_document,
    unauthorized,
)
from gateway.rest.session import TokenError

MAX_DOCUMENT_BYTES: Final = 64 << 10
"""Longest body: anyone may send one, and a sign-in is small."""

_ROOTS: Final = ("/v3/auth/", "/v3/projects/", "/v3.0/")


def is_identity_path(path: str) -> bool:
    """Whether refusals on that path are written in the identity service's form."""
    # With its end, since a project's id may begin as a root does.
    return f"{path}/".startswith(_ROOTS)


def identity_routes(iam: Iam, access: Access) -> list[web.RouteDef]:
    """The routes, for an application whose middleware answers `SignInError` and `RestError`."""
    service = _Identity(iam, access)
    return [
        web.post("/v3/auth/tokens", service.issue_token),
        web.get("/v3/auth/tokens", service.show_token, allow_head=False),
        web.get("/v3/auth/domains", service.list_domains, allow_head=False),
        web.get("/v3/projects", service.list_projects, allow_head=False),
        web.post("/v3.0/OS-CREDENTIAL/securitytokens", service.issue_temporary_key),
    ]


class _Identity:
    def __init__(self, iam: Iam, access: Access) -> None:
        self._iam = iam
        self._access = access

    async def issue_token(self, request: web.Request) -> web.Response:
        """POST /v3/auth/tokens; `?nocatalog=…` changes nothing, since there is no catalogue."""
        token, session = await self._iam.sign_in(await _read_document(request))
        return web.json_response(token_document(session), status=201, headers={"X-Subject-Token": token})

    async def show_token(self, request: web.Request) -> web.Response:
        """GET /v3/auth/tokens: what the token in `X-Subject-Token` stands for, told to whoever has one of the same account."""
        caller = await self._access.caller(request)
        token = request.headers.get("X-Subject-Token", "")
        try:
            session = self._iam.session(token)
        except TokenError as error:
            raise SignInError(404, "Not Found", f"The token in X-Subject-Token is refused: {error}.") from None
        if session.user.domain != caller.user.domain:
            raise unauthorized("The token in X-Subject-Token is of another account.")
        return web.json_response(token_document(session), headers={"X-Subject-Token": token})

    async def list_domains(self, request: web.Request) -> web.Response:
        """GET /v3/auth/domains."""
        caller = await self._access.caller(request)
        return web.json_response(domains_document(caller.user.domain))

    async def list_projects(self, request: web.Request) -> web.Response:
        """GET /v3/projects?name=…: the caller's, with the disabled ones."""
        caller = await self._access.caller(request)
        name = request.query.get("name")
        return web.json_response(projects_document(project for project in caller.projects if name in (None, project.name)))

    async def issue_temporary_key(self, request: web.Request) -> web.Response:
        """POST /v3.0/OS-CREDENTIAL/securitytokens."""
        key = self._iam.issue_temporary_key(await _read_document(request), request.headers.get("X-Auth-Token"))
        return web.json_response(credential_document(key), status=201)


async def _read_document(request: web.Request) -> object:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_DOCUMENT_BYTES:
            raise SignInError(413, "Request Entity Too Large", f"The request body is over {MAX_DOCUMENT_BYTES} bytes.")
    try:
        document: object = json.loads(body)
    except (ValueError, RecursionError):
        raise malformed("The request body is not JSON.") from None
    return document
