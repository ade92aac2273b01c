"""What every request passes: it gets an id, and whatever goes wrong becomes a reply."""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from aiohttp import web

from gateway.errors import GatewayError
from gateway.rest.errors import RestError
from gateway.rest.identity import is_identity_path
from gateway.rest.keystone import SignInError
from gateway.rest.operations import OPERATIONS
from gateway.telemetry.logs import FIELDS
from gateway.telemetry.ration import Ration
from gateway.telemetry.scope import Scope, current_scope, entered

_log = logging.getLogger(__name__)
_calls = logging.getLogger("gateway.calls")

MAX_BODY_BYTES: Final = 12_000_000
"""Requests must stay under 12 MB (API reference, section 3.3)."""

STRANGERS: Final = web.AppKey("strangers", Ration)
"""Where an application has what bounds the lines about requests whose senders nobody knows; without, nothing does."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answer_always(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer in the contract's form, whatever `handler` raises."""
    request_id = secrets.token_hex(16)
    with entered(Scope(request.match_info.route.name or request.method, request_id)):
        return await _answered(request, handler, request_id)


async def _answered(request: web.Request, handler: _Handler, request_id: str) -> web.StreamResponse:
    started_at = time.perf_counter()
    try:
        response = await handler(request)
    except (RestError, SignInError, web.HTTPException, web.RequestPayloadError) as error:
        response = _refused(request, error, request_id)
    except Exception as error:
        if request.transport is None and isinstance(error, OSError):
            _log.debug("request %s: the client hung up", request_id)
            raise
        # The last resort: logged whole, answered with a code and no detail.
        _log.exception("request %s failed", request_id)
        response = _in_form_of(request, RestError(_internal_code(request)))
    response.headers["X-Request-Id"] = request_id
    facts = {"status": response.status, "seconds": round(time.perf_counter() - started_at, 6)}
    _calls.debug("request answered", extra={FIELDS: facts})
    if is_identity_path(request.path):
        response.headers["X-IAM-Trace-Id"] = request_id
    return response


async def name_always(request: web.Request, response: web.StreamResponse) -> None:
    """Name the request in a reply that was made before `answer_always` had its turn (417, to an `Expect` that is unknown)."""
    del request
    response.headers.setdefault("X-Request-Id", secrets.token_hex(16))


def _internal_code(request: web.Request) -> str:
    """The code for a fault of this service, which differs between families of operations."""
    name = request.match_info.route.name
    return next((operation.family.internal for operation in OPERATIONS if operation.name == name), "AIS.0506")


def _refused(request: web.Request, error: Exception, request_id: str) -> web.Response:
    """The contract's reply to a failure that was foreseen."""
    match error:
        case RestError() | SignInError():
            refusal = error
        case web.HTTPException(status=405):
            refusal = RestError("AIS.0013")
        case web.HTTPException(status=413):
            refusal = RestError("AIS.0020", f"(it must be under {MAX_BODY_BYTES} bytes)")
        case web.HTTPRequestTimeout():  # the contract has no code for it
            return web.Response(status=error.status, text=error.text)
        case web.RequestPayloadError():
            refusal = RestError("AIS.0014", "(the body is not what its headers say)")
        case _:
            refusal = RestError("APIG.0101")
    # Unknown paths and methods are what scanners try; the rest is worth an operator's look, who is told more than the caller.
    level = logging.DEBUG if isinstance(error, web.HTTPException) else logging.INFO
    told = error.__cause__ if isinstance(error.__cause__, GatewayError) else refusal
    if _log.isEnabledFor(level):
        strangers, scope = request.app.get(STRANGERS), current_scope()
        is_known = scope is not None and scope.is_known
        left_out = 0 if is_known or strangers is None or level == logging.DEBUG else strangers.take()
        if left_out is not None:
            _log.log(level, "request %s failed: %s", request_id, told, extra={FIELDS: {"left_out": left_out} if left_out else {}})
    return _in_form_of(request, refusal)


def _in_form_of(request: web.Request, refusal: RestError | SignInError) -> web.Response:
    """The reply that says `refusal`: in the identity service's form for its paths, in the other one for the rest."""
    if isinstance(refusal, SignInError) or not is_identity_path(request.path):
        return refusal.response()
    response = SignInError(refusal.status, HTTPStatus(refusal.status).phrase, refusal.message).response()
    response.headers.update(refusal.headers)
    return response
