"""Replies that are sent as they are, on a server that compresses: pictures are compressed already."""

from typing import Any

from gateway.rpc.answer import Context


class Uncompressed:
    """A call's context whose messages are not compressed.

    gRPC for asyncio does not heed `set_compression` of a call (1.85); it heeds the server's setting, and what is said of
    each message.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        context.disable_next_message_compression()  # of a unary reply, which is written by nobody

    async def write(self, message: object) -> None:
        """Send one message."""
        self._context.disable_next_message_compression()
        await self._context.write(message)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the context has
        return getattr(self._context, name)
