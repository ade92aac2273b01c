"""Who is let in: before a call's message is read, and counted until it is answered.

gRPC's own bound (`maximum_concurrent_rpcs`) also refuses health checks when it is reached, and so has a busy gateway restarted:
https://github.com/grpc/grpc/issues/41531.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, cast

import grpc
from google.protobuf import message
from grpc import aio

from gateway.errors import GatewayError, Reason
from gateway.rpc.answer import Context, abort, outcome_of
from gateway.rpc.calls import Calls
from gateway.rpc.overload import Places
from gateway.rpc.settings import RpcSettings
from gateway.rpc.uncompressed import Uncompressed

_EXEMPT: Final = ("/grpc.health.", "/grpc.reflection.")
"""Balancers and people ask these, the more so when the gateway is busy; they cost little."""

_Behaviour = Callable[[Any, Any], Any]
_Wrap = Callable[[Context], Any]


class Admission(aio.ServerInterceptor):
    """Bounds the calls and streams at work, and the bytes of their messages; refuses what is beyond that with `OVERLOADED`.

    Calls with a single request are served as streams of one, which are the same on the wire: gRPC reads the message of
    a unary call before any code of ours runs, that of a stream when it is asked to.
    """

    def __init__(self, calls: Calls, settings: RpcSettings, *, uncompressed: frozenset[str] = frozenset()) -> None:
        """`uncompressed` are the services whose replies are not worth it, by their full names."""
        self._calls = calls
        self._unary = Places(settings.max_calls, "calls")
        self._streams = Places(settings.max_streams, "streams")
        self._receive_timeout = settings.receive_timeout
        self._uncompressed = uncompressed
        self._bounded: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    def adopt(self, settings: RpcSettings) -> None:
        """From now on by these settings; who has a place keeps it."""
        self._unary.limit = settings.max_calls
        self._streams.limit = settings.max_streams
        self._receive_timeout = settings.receive_timeout

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """The handler of a call, behind the bounds."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_EXEMPT):
            return handler
        if method not in self._bounded:  # few: only those of the contract have handlers
            plain = method.split("/")[1] in self._uncompressed
            self._bounded[method] = self._bound(handler, Uncompressed if plain else _unchanged)
        return self._bounded[method]

    def _bound(self, handler: "grpc.RpcMethodHandler[Any, Any]", wrap: _Wrap) -> "grpc.RpcMethodHandler[Any, Any]":
        of: Any = handler  # the stubs know no handler's parts
        if of.request_streaming:
            behaviour = of.stream_stream if of.response_streaming else of.stream_unary
            admitted, parse = self._stream(behaviour, wrap), of.request_deserializer
        else:
            behaviour = of.unary_stream if of.response_streaming else of.unary_unary
            admitted, parse = self._single(behaviour, of.request_deserializer, wrap), None
        made: Any = grpc.stream_stream_rpc_method_handler if of.response_streaming else grpc.stream_unary_rpc_method_handler
        return cast(
            "grpc.RpcMethodHandler[Any, Any]",
            made(admitted, request_deserializer=parse, response_serializer=of.response_serializer),
        )

    def _single(self, behaviour: _Behaviour, parse: Callable[[bytes], Any] | None, wrap: _Wrap) -> _Behaviour:
        async def admitted(_: object, context: Context) -> Any:  # noqa: ANN401  # of any service
            try:
                self._calls.check_open()
                with self._unary.taken():
                    received = await self._receive(context)
                    with self._calls.held.admitted(len(received)):
                        request = _parsed(parse, received)
                        del received  # else the picture is held twice
                        return await outcome_of(behaviour, request, wrap(context))
            except GatewayError as error:
                await abort(context, error)

        return admitted

    def _stream(self, behaviour: _Behaviour, wrap: _Wrap) -> _Behaviour:
        async def admitted(requests: AsyncIterator[Any], context: Context) -> Any:  # noqa: ANN401  # of any service
            try:
                self._calls.check_open()
                with self._streams.taken():
                    return await outcome_of(behaviour, requests, wrap(context))
            except GatewayError as error:
                await abort(context, error)

        return admitted

    async def _receive(self, context: Context) -> bytes:
        """The only message of a call. Whoever never sends it does not keep the place."""
        try:
            async with asyncio.timeout(self._receive_timeout):
                received = await context.read()
        except TimeoutError:
            raise GatewayError(
                Reason.DEADLINE_EXCEEDED,
                f"the call's message did not arrive within {self._receive_timeout:g} s",
                allowed=f"at most {self._receive_timeout:g} s",
            ) from None
        if not isinstance(received, bytes):  # but gRPC's mark of the end
            raise GatewayError(Reason.INVALID_ARGUMENT, "the call came without its message")
        return received


def _unchanged(context: Context) -> Context:
    return context


def _parsed(parse: Callable[[bytes], Any] | None, received: bytes) -> Any:  # noqa: ANN401  # of any service
    try:
        return received if parse is None else parse(received)
    except message.DecodeError:
        raise GatewayError(Reason.INVALID_ARGUMENT, "the call's message is not the contract's") from None
