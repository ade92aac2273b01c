"""HTTP to the cloud: one pooled session, and the one place where aiohttp's exceptions become ours."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Final

import aiohttp
from opentelemetry.trace import SpanKind

from gateway.errors import GatewayError, Reason
from gateway.telemetry.stage import stage, trace_headers
from gateway.telemetry.tracing import mark_failed
from gateway.upstream.connection import Exchange, SlicedBody, WatchedConnector, WatchedRequest, exchange_under_way
from gateway.upstream.failure import failure
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply
from gateway.upstream.verdict import classify

MAX_REPLY_BYTES: Final = 32 << 20
"""No reply of the contract is near this; more is a fault, and is not buffered."""

MAX_HEADER_BYTES: Final = 64 << 10
"""Tokens come in a header and are of several kilobytes; aiohttp's own limit is 8."""

MAX_BODY_BYTES: Final = 12_000_000
"""Authenticated requests must stay under 12 MB (API reference, section 3.3)."""

_KEEPALIVE_SECONDS: Final = 15.0
"""Shorter than the servers' own (60 s and more), so that the pool rarely hands out a connection that is being closed."""


class Transport:
    """A pool of connections to the cloud's endpoints.

    Create and use it inside one event loop; `aclose()` it at the end. Redirects are not followed: the contract has none, so one
    is malformed. aiohttp repeats a GET or HEAD of its own accord if a kept connection turns out to be closed, which costs
    nothing; it never repeats a POST.
    """

    def __init__(
        self,
        *,
        connect_timeout: float,
        timeout: float,
        pool_size: int,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`connect_timeout`, `timeout`: seconds for connecting, and for one exchange with its whole reply. `clock` returns
        seconds since the epoch, `monotonic` seconds from any instant on."""
        self._timeout = timeout
        self._clock = clock
        self._monotonic = monotonic
        # The pool is larger than the number of concurrent calls, so that a token call never waits for a picture.
        self._connector = WatchedConnector(limit=pool_size + 2, keepalive_timeout=_KEEPALIVE_SECONDS)
        self._session = aiohttp.ClientSession(
            connector=self._connector,
            request_class=WatchedRequest,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def send(self, outgoing: Outgoing, headers: Mapping[str, str], *, timeout: float | None = None) -> Attempt:
        """Send `outgoing` with the credentials' `headers`, and judge what came of it. Cancelling it closes the connection.

        `timeout`: seconds, where the caller has less than the transport's own limit. Raises nothing but `CancelledError`: the
        attempt's error says what was wrong. The body is of less than `MAX_BODY_BYTES`; see `check_length`.
        """
        with stage(outgoing.method, kind=SpanKind.CLIENT) as span:
            if span.is_recording():
                span.set_attributes(_attributes(outgoing))
            attempt = await self._sent(outgoing, {**headers, **trace_headers()}, timeout)
            if attempt.reply is not None:
                span.set_attribute("http.response.status_code", attempt.reply.status)
            if attempt.error is not None:
                mark_failed(span, attempt.outcome.value)
        return attempt

    async def _sent(self, outgoing: Outgoing, headers: Mapping[str, str], timeout: float | None) -> Attempt:
        body = SlicedBody(outgoing.body) if outgoing.body else None
        exchange = Exchange(body, self._monotonic)
        context = exchange_under_way.set(exchange)
        try:
            async with asyncio.timeout(self._timeout if timeout is None else min(timeout, self._timeout)):
                reply = await self._exchange(outgoing, {**outgoing.headers, **headers}, body)
        except GatewayError as error:
            return Attempt(Outcome.MALFORMED, error=error)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # timeouts are OSErrors
            attempt = failure(error, exchange)
            if attempt.outcome is Outcome.STALE:
                self._connector.distrust_idle()
            return attempt
        finally:
            exchange_under_way.reset(context)
        exchange.finish()
        return classify(reply, self._clock)

    async def reach(self, url: str) -> None:
        """Have the server at `url` answer anything at all. Raises `GatewayError` if it does not."""
        # On a connection of its own: some servers send a body that nobody may send, which would spoil the next reply.
        attempt = await self.send(Outgoing("HEAD", url, headers={"Connection": "close"}), {})
        if attempt.reply is None and attempt.error is not None and attempt.outcome is not Outcome.MALFORMED:
            raise attempt.error

    async def _exchange(self, outgoing: Outgoing, headers: Mapping[str, str], body: SlicedBody | None) -> HttpReply:
        async with self._session.request(
            outgoing.method, outgoing.target, data=body, headers=headers, allow_redirects=False
        ) as response:
            return HttpReply(response.status, response.headers, await _read_bounded(response))


def _attributes(outgoing: Outgoing) -> dict[str, str | int]:
    """What a span may tell of a request: neither path nor query, which say who asks and for what."""
    attributes: dict[str, str | int] = {"http.request.method": outgoing.method}
    with contextlib.suppress(ValueError):  # no URL, as sending it will say
        target = outgoing.target
        attributes |= {"url.scheme": target.scheme, "server.address": target.host or "", "server.port": target.port or 0}
    return attributes


def check_length(size: int) -> None:
    """Raise `GatewayError` with `IMAGE_TOO_LARGE` for a request body of so many bytes that the cloud would refuse it."""
    if size >= MAX_BODY_BYTES:
        raise GatewayError(
            Reason.IMAGE_TOO_LARGE,
            f"the request body is {size} bytes; the cloud takes less than {MAX_BODY_BYTES}",
            field="content",
            measured=f"{size} bytes",
            allowed=f"under {MAX_BODY_BYTES} bytes",
        )


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            raise GatewayError(Reason.UPSTREAM_BAD_RESPONSE, f"the cloud's reply is over {MAX_REPLY_BYTES} bytes")
    return bytes(content)
