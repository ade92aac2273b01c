"""The routes, and what every request passes: an id, one place that turns failures into replies."""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web

from gateway.errors import GatewayError
from gateway.rest.access import Access
from gateway.rest.errors import RestError, rest_error
from gateway.rest.iam import Iam, SignInError
from gateway.rest.settings import RestSettings
from gateway.rest.tagging import read_request, write_result
from gateway.usecases.tagging import TagImage

_log = logging.getLogger(__name__)

MAX_BODY_BYTES: Final = 12_000_000
"""Requests must stay under 12 MB (API reference, section 3.3)."""

MAX_SIGN_IN_BYTES: Final = 64 << 10

_INLINE_BYTES: Final = 256 << 10

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_app(settings: RestSettings, tag_image: TagImage, clock: Callable[[], float] = time.time) -> web.Application:
    """Build the application. `clock` returns seconds since the epoch."""
    iam = Iam(settings, clock)
    face = _Face(iam, Access(settings, iam, clock), tag_image)
    app = web.Application(middlewares=[_answer_always], client_max_size=MAX_BODY_BYTES - 1)
    app.router.add_post("/v3/auth/tokens", face.issue_token)
    app.router.add_get("/v3/projects", face.list_projects, allow_head=False)
    app.router.add_post("/v2/{project_id}/image/tagging", face.tag_image)
    return app


class _Face:
    def __init__(self, iam: Iam, access: Access, tag_image: TagImage) -> None:
        self._iam = iam
        self._access = access
        self._tag_image = tag_image

    async def issue_token(self, request: web.Request) -> web.Response:
        """POST /v3/auth/tokens."""
        try:
            document = json.loads(await _read_sign_in(request))
        except (ValueError, RecursionError) as error:
            raise SignInError(400, "Bad Request", "The request body is not JSON.") from error
        token, body = self._iam.issue(document)
        return web.json_response(body, status=201, headers={"X-Subject-Token": token})

    async def list_projects(self, request: web.Request) -> web.Response:
        """GET /v3/projects?name=…"""
        await self._access.check(request)
        return web.json_response(self._iam.projects(request.query.get("name")))

    async def tag_image(self, request: web.Request) -> web.Response:
        """POST /v2/{project_id}/image/tagging."""
        await self._access.check_project(request)
        body = await request.read()
        # A large picture takes tens of milliseconds to unpack; others would wait for that.
        source, parameters = read_request(body) if len(body) <= _INLINE_BYTES else await asyncio.to_thread(read_request, body)
        tagged = await self._tag_image(source, parameters)
        return web.json_response(write_result(tagged.reply.tags))


@web.middleware
async def _answer_always(request: web.Request, handler: _Handler) -> web.StreamResponse:
    request_id = secrets.token_hex(16)
    try:
        response = await handler(request)
    except (RestError, SignInError, GatewayError, web.HTTPException, web.RequestPayloadError) as error:
        response = _refusal(request, error, request_id)
    except ConnectionResetError:
        _log.debug("request %s: the client hung up", request_id)
        raise
    except Exception:  # noqa: BLE001  # the last resort: logged whole, answered with a code and no detail
        _log.exception("request %s failed", request_id)
        response = RestError("AIS.0506").response()
    response.headers["X-Request-Id"] = request_id
    return response


def _refusal(request: web.Request, error: Exception, request_id: str) -> web.Response:
    """The contract's reply to a failure: in the identity service's form for its paths, in the other one for the rest."""
    match error:
        case RestError() | SignInError():
            refusal = error
        case GatewayError():
            refusal = rest_error(error)
        case web.HTTPException(status=405):
            refusal = RestError("AIS.0013")
        case web.HTTPException(status=413):
            refusal = RestError("AIS.0020", f"(it must be under {MAX_BODY_BYTES} bytes)")
        case web.RequestPayloadError():
            refusal = RestError("AIS.0014", "(the body is not what its headers say)")
        case _:
            refusal = RestError("APIG.0101")
    # Unknown paths and methods are what scanners try; the rest is worth an operator's look, who is told more than the caller.
    level = logging.DEBUG if isinstance(error, web.HTTPException) else logging.INFO
    _log.log(level, "request %s failed: %s", request_id, error if isinstance(error, GatewayError) else refusal)
    if request.path.startswith("/v3/") and isinstance(refusal, RestError):
        refusal = SignInError(refusal.status, HTTPStatus(refusal.status).phrase, refusal.message)
    return refusal.response()


async def _read_sign_in(request: web.Request) -> bytes:
    """The body of a sign-in, which anyone may send and which is small. Raises `SignInError`."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_SIGN_IN_BYTES:
            raise SignInError(413, "Request Entity Too Large", f"The request body is over {MAX_SIGN_IN_BYTES} bytes.")
    return bytes(body)
