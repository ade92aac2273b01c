"""A call's context whose caller is told what its call is named, however it ends."""

from typing import Any, NoReturn

import grpc

from gateway.rpc.answer import Context

REQUEST_ID_KEY = "x-request-id"
"""The metadata under which callers may name a call, and are told its name."""

_Metadata = Any  # gRPC's: pairs of keys and values


class ObservedContext:
    """Adds the call's name to its trailing metadata, and to the initial ones if the handler sends any."""

    def __init__(self, context: Context, request_id: str) -> None:
        self._context = context
        self._named = ((REQUEST_ID_KEY, request_id),)
        context.set_trailing_metadata(self._named)

    async def send_initial_metadata(self, metadata: _Metadata) -> None:
        """Send `metadata`."""
        await self._context.send_initial_metadata((*metadata, *self._named))

    def set_trailing_metadata(self, metadata: _Metadata) -> None:
        """Have `metadata` sent with the status."""
        self._context.set_trailing_metadata((*metadata, *self._named))

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing_metadata: _Metadata = ()) -> NoReturn:
        """End the call with a status."""
        if trailing_metadata:  # without, what was set before is sent
            trailing_metadata = (*trailing_metadata, *self._named)
        await self._context.abort(code, details, trailing_metadata)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the context has
        return getattr(self._context, name)
