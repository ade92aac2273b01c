"""The application: which path is served by what, and what every request passes."""

import time
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.rest.access import Access
from gateway.rest.admission import admission
from gateway.rest.body_deadline import body_deadline
from gateway.rest.fault_settings import FaultSettings
from gateway.rest.faults import fault_middleware
from gateway.rest.handler import OperationHandler
from gateway.rest.iam import Iam
from gateway.rest.identity import identity_routes, is_identity_path
from gateway.rest.openapi import openapi_route
from gateway.rest.operations import OPERATIONS
from gateway.rest.recording import Recordings
from gateway.rest.recording_settings import RecordSettings
from gateway.rest.refusals import MAX_BODY_BYTES, STRANGERS, answer_always, name_always
from gateway.rest.settings import RestSettings
from gateway.telemetry.ration import Ration
from gateway.usecases.catalogue import UseCases

_NAMES: Final = tuple(operation.name for operation in OPERATIONS)


def build_app(
    settings: RestSettings,
    use_cases: UseCases,
    clock: Callable[[], float] = time.time,
    *,
    faults: FaultSettings | None = None,
    record: RecordSettings | None = None,
) -> web.Application:
    """Build the application. `clock` returns seconds since the epoch; unless given, there are neither faults on purpose nor
    recordings. Raises `RestConfigError`."""
    iam = Iam(settings, clock)
    access = Access(settings, iam, clock, operations=_NAMES)
    recordings = Recordings(record or RecordSettings())
    middlewares: list[Middleware] = [answer_always, admission(settings.max_requests)]
    if faults is not None and faults.active:
        middlewares.append(fault_middleware(faults, (*_NAMES, "iam"), _operation_of))
    # Behind the faults: nobody reads a body while its answer is made late, so the wait is not the client's.
    middlewares.append(body_deadline(settings.body_timeout))
    app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES - 1)
    app[STRANGERS] = Ration(clock)
    app.on_response_prepare.append(name_always)
    app.add_routes([*identity_routes(iam, access), openapi_route()])
    for operation in OPERATIONS:
        handler = OperationHandler(operation, access, use_cases, recordings, clock)
        app.router.add_post(operation.path, handler.handle, name=operation.name)
    return app


def _operation_of(request: web.Request) -> str:
    """What faults are asked for by: an operation's name, `iam`, or an empty text for what is neither."""
    name = request.match_info.route.name
    if name in _NAMES:
        return name
    return "iam" if is_identity_path(request.path) else ""
