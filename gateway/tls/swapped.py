"""Python's TLS with whichever certificate is in force when a connection is made."""

import ssl
from collections.abc import Callable

from gateway.tls.pair import Pair


def swapped_context(current: Callable[[], Pair]) -> ssl.SSLContext:
    """A context for servers, each of whose handshakes is made with what `current` gives then."""
    context = current().context

    def swap(connection: ssl.SSLSocket | ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        connection.context = current().context

    # Called for clients that name no server, too.
    context.sni_callback = swap
    return context
