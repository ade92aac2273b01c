"""The routes, and what every request passes: an id, one place that turns failures into replies."""

import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
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
            document = json.loads(await request.read())
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
        source, parameters = read_request(await request.read())
        tagged = await self._tag_image(source, parameters)
        return web.json_response(write_result(tagged.reply.tags))


@web.middleware
async def _answer_always(request: web.Request, handler: _Handler) -> web.StreamResponse:
    request_id = secrets.token_hex(16)
    try:
        response = await handler(request)
    except (RestError, SignInError) as error:
        response = error.response()
    except GatewayError as error:
        _log.info("request %s failed: %s", request_id, error)
        response = rest_error(error).response()
    except web.HTTPException as error:
        response = _routing_error(error).response()
    except Exception:  # noqa: BLE001  # the last resort: logged whole, answered with a code and no detail
        _log.exception("request %s failed", request_id)
        response = RestError("AIS.0506").response()
    response.headers["X-Request-Id"] = request_id
    return response


def _routing_error(error: web.HTTPException) -> RestError:
    """aiohttp's own refusals in the contract's words."""
    if error.status == 405:
        return RestError("AIS.0013")
    if error.status == 413:
        return RestError("AIS.0020", f"(it must be under {MAX_BODY_BYTES} bytes)")
    return RestError("APIG.0101")
