"""What is done with a request for an operation, from its credentials to its result."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from aiohttp import web

from gateway.errors import GatewayError
from gateway.media import ImageUri
from gateway.rest.access import Access
from gateway.rest.call import Call, is_form, read_call
from gateway.rest.errors import RestError
from gateway.rest.obs import check_not_expired
from gateway.rest.operations import Document, File, Operation
from gateway.rest.recording import Recordings
from gateway.usecases.catalogue import UseCases

_INLINE_BYTES: Final = 256 << 10

_T = TypeVar("_T")


class OperationHandler:
    """Serves one operation. Raises `RestError` for what cannot be taken or done."""

    def __init__(
        self,
        operation: Operation,
        access: Access,
        use_cases: UseCases,
        recordings: Recordings,
        clock: Callable[[], float],
    ) -> None:
        """`clock` returns seconds since the epoch."""
        self._operation = operation
        self._access = access
        self._use_cases = use_cases
        self._recordings = recordings
        self._clock = clock

    async def handle(self, request: web.Request) -> web.Response:
        """Answer `request`."""
        operation = self._operation
        async with self._access.admit(request, operation.name) as caller:
            body = await request.read()
            if not (caller.by_token or caller.body_signed or is_form(operation, request.content_type)):
                raise RestError("APIG.0301", "(the signature must cover the body, unless that is a form)")
            if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
                raise RestError("AIS.0014", "(Content-Encoding is not taken; send the body as it is)")
            call = await _off_the_loop(len(body), read_call, operation, request.content_type, request.headers, body)
            return await self._recordings.answer(operation, call, lambda: self._answer(call))

    async def _answer(self, call: Call) -> web.Response:
        result = await self._result(call)
        if not isinstance(result, File):
            return web.json_response({"result": result})
        if call.is_form:
            return web.Response(body=result.data, content_type=f"image/{result.format}")
        text = await _off_the_loop(len(result.data), result.in_json)
        return web.Response(body=b'{"result": "' + text.encode() + b'"}', content_type="application/json", charset="utf-8")

    async def _result(self, call: Call) -> Document | File:
        if isinstance(call.source, ImageUri):
            check_not_expired(call.source.uri, self._clock())
        try:
            return await self._operation.run(self._use_cases, call.source, call.values)
        except GatewayError as error:
            raise self._operation.family.error_of(error, call.source) from error


async def _off_the_loop(length: int, work: Callable[..., _T], *arguments: object) -> _T:
    """Work on so many bytes: a large picture takes tens of milliseconds to unpack, and others would wait for that."""
    return work(*arguments) if length <= _INLINE_BYTES else await asyncio.to_thread(work, *arguments)
