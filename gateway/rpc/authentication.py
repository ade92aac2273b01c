"""Who calls is settled before anything of a call's message is read; health is everybody's to ask."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final, cast

import grpc
from grpc import aio

from gateway.access.claim import TENANT_KEY
from gateway.access.gate import Caller, Gate
from gateway.access.identity import RefusedError, Shown
from gateway.access.operations import Operation
from gateway.errors import GatewayError
from gateway.imagerecognition.v1 import enhancement_pb2, music_pb2, preprocess_pb2, tagging_pb2
from gateway.rpc.answer import Context, abort, incidents, outcome_of

_EXEMPT: Final = "/grpc.health."
"""Balancers and orchestrators ask, which have no credentials."""

_AUTHORIZATION: Final = "authorization"
_API_KEY: Final = "x-api-key"

_KINDS: Final = MappingProxyType(
    {"peer_dns": "dns", "peer_uri": "uri", "peer_email": "email", "peer_ip": "ip", "x509_common_name": "cn"}
)
"""What gRPC calls the names of a certificate → what the tenants file calls them."""

_CALLER: ContextVar[Caller] = ContextVar("caller")


def current_caller() -> Caller:
    """Who makes the call that the current task works on."""
    return _CALLER.get()


def operations() -> dict[str, Operation]:
    """Methods, as gRPC writes them, → what tenants may be allowed. Others are any caller's."""
    words = {"Dark": Operation.DARK_ENHANCE, "Defog": Operation.DEFOG, "Upscale": Operation.SUPER_RESOLUTION}
    enhancement = enhancement_pb2.DESCRIPTOR.services_by_name["EnhancementService"]
    found = {
        f"/{enhancement.full_name}/{method.name}": operation
        for method in enhancement.methods
        for word, operation in words.items()
        if word in method.name
    }
    for file, name, operation in (
        (tagging_pb2.DESCRIPTOR, "TaggingService", Operation.TAGGING),
        (music_pb2.DESCRIPTOR, "MusicService", Operation.BACKGROUND_MUSIC),
        (preprocess_pb2.DESCRIPTOR, "PreprocessService", Operation.PREPROCESS),
    ):
        service = file.services_by_name[name]
        found |= {f"/{service.full_name}/{method.name}": operation for method in service.methods}
    return found


class Authentication(aio.ServerInterceptor):
    """Lets callers by the gate. Must stand before `Admission`, which reads messages."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._operations = operations()
        self._guarded: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """The handler of a call, behind the gate."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith(_EXEMPT):
            return handler
        if method not in self._guarded:  # few: only those of the contract and of reflection have handlers
            self._guarded[method] = self._guard(handler, self._operations.get(method))
        return self._guarded[method]

    def _guard(
        self, handler: "grpc.RpcMethodHandler[Any, Any]", operation: Operation | None
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        of: Any = handler  # the stubs know no handler's parts
        kind = f"{'stream' if of.request_streaming else 'unary'}_{'stream' if of.response_streaming else 'unary'}"
        behaviour = getattr(of, kind)

        async def guarded(request: object, context: Context) -> Any:  # noqa: ANN401  # of any service
            try:
                with incidents():
                    caller = await self._admitted(context, operation)
            except GatewayError as error:
                await abort(context, error)
            _CALLER.set(caller)  # never reset: the task is the call's own, and ends with it
            return await outcome_of(behaviour, request, context)

        made: Any = getattr(grpc, f"{kind}_rpc_method_handler")
        return cast(
            "grpc.RpcMethodHandler[Any, Any]",
            made(guarded, request_deserializer=of.request_deserializer, response_serializer=of.response_serializer),
        )

    async def _admitted(self, context: Context, operation: Operation | None) -> Caller:
        sent: dict[str, list[str]] = {}
        for key, value in context.invocation_metadata() or ():
            if key in (TENANT_KEY, _AUTHORIZATION, _API_KEY):
                sent.setdefault(key, []).append(str(value))
        try:
            shown = _shown(sent, context) if self._gate.asks else Shown()
        except RefusedError as refusal:
            self._gate.note(refusal)
            raise
        return await self._gate.admit(shown, tuple(sent.get(TENANT_KEY, ())), operation)


def _shown(sent: dict[str, list[str]], context: Context) -> Shown:
    for key in (_AUTHORIZATION, _API_KEY):
        if len(sent.get(key, ())) > 1:  # which of them counts, those before and behind may see differently
            raise RefusedError("", "malformed", f"the metadata {key} is sent more than once")
    authorization = next(iter(sent.get(_AUTHORIZATION, ())), "").strip()
    scheme, _, credential = authorization.partition(" ")
    bearer = credential.strip() if scheme.lower() == "bearer" else ""
    return Shown(
        bearer=bearer,
        api_key=next(iter(sent.get(_API_KEY, ())), ""),
        names=_names(context),
        unsupported=bool(authorization and not bearer),
    )


def _names(context: Context) -> tuple[str, ...]:
    facts: dict[str, list[bytes]] = context.auth_context()  # type: ignore[assignment]  # the stubs have another container
    return tuple(f"{kind}:{name.decode(errors='replace')}" for ours, kind in _KINDS.items() for name in facts.get(ours, ()))
