"""What an exchange that brought no whole reply means: whether the service may have worked, and what to tell the caller.

Messages name neither URL nor header: both may hold what callers must not see.
"""

import errno
from typing import Final

import aiohttp

from gateway.errors import GatewayError, Reason
from gateway.upstream.connection import Exchange
from gateway.upstream.outcome import Attempt, Outcome

_Judgement = tuple[Outcome, Reason, str]

_CONNECTING: Final[tuple[tuple[type[BaseException], Reason, str], ...]] = (
    (TimeoutError, Reason.UPSTREAM_UNAVAILABLE, "no connection to the cloud could be made in time"),
    (
        aiohttp.ClientConnectorCertificateError,
        Reason.UPSTREAM_UNAVAILABLE,
        "the cloud's TLS certificate is not trusted, or not for its name",
    ),
    (aiohttp.ClientConnectorSSLError, Reason.UPSTREAM_UNAVAILABLE, "no TLS connection to the cloud could be made"),
    (aiohttp.InvalidURL, Reason.UPSTREAM_NOT_FOUND, "the configured endpoint is not a usable URL"),
    (aiohttp.NonHttpUrlClientError, Reason.UPSTREAM_NOT_FOUND, "the configured endpoint is not a usable URL"),
    (aiohttp.ClientError, Reason.UPSTREAM_UNAVAILABLE, "no connection to the cloud could be made"),
    (ValueError, Reason.UPSTREAM_NOT_FOUND, "the configured endpoint is not a usable URL"),
    (OSError, Reason.UPSTREAM_UNAVAILABLE, "no connection to the cloud could be made"),
)
"""What may go wrong before there is a connection; the first that fits."""


class FaultError(Exception):
    """What happened, for the log: the kind of the library's exception, whose own text holds URLs, and the system's code."""


def failure(error: Exception, exchange: Exchange) -> Attempt:
    """What became of `exchange`, which `error` ended: one of aiohttp's, of the system's, or a `ValueError` of a URL or header."""
    outcome, reason, message = _connected(error, exchange) if exchange.is_connected else _connecting(error)
    found = GatewayError(reason, message)
    found.__cause__ = FaultError(_described(error))
    return Attempt(outcome, error=found)


def _connecting(error: Exception) -> _Judgement:
    for kind, reason, message in _CONNECTING:
        if isinstance(error, kind):
            return Outcome.NOT_SENT, reason, message
    raise error


def _connected(error: Exception, exchange: Exchange) -> _Judgement:
    if isinstance(error, aiohttp.ClientResponseError):
        return Outcome.MALFORMED, Reason.UPSTREAM_BAD_RESPONSE, "the cloud's reply is not valid HTTP"
    if isinstance(error, aiohttp.ClientError | OSError):
        return _late(exchange) if isinstance(error, TimeoutError) else _broken(exchange)
    return Outcome.NOT_SENT, Reason.INTERNAL, "a header of the request holds what HTTP cannot carry"


def _late(exchange: Exchange) -> _Judgement:
    if exchange.may_be_whole:
        return Outcome.LOST, Reason.UPSTREAM_TIMEOUT, "the cloud did not answer in time"
    return Outcome.NOT_SENT, Reason.UPSTREAM_UNAVAILABLE, "the cloud did not take the whole request in time"


def _broken(exchange: Exchange) -> _Judgement:
    if exchange.is_answered:
        return Outcome.LOST, Reason.UPSTREAM_REPLY_LOST, "the connection broke while the cloud answered"
    if exchange.is_reused:
        return Outcome.STALE, Reason.UPSTREAM_UNAVAILABLE, "the cloud closed a kept connection as it was used again"
    if exchange.may_be_whole:
        return Outcome.LOST, Reason.UPSTREAM_REPLY_LOST, "the cloud closed the connection before it answered"
    return Outcome.NOT_SENT, Reason.UPSTREAM_UNAVAILABLE, "the connection to the cloud broke before the request was sent"


def _described(error: Exception) -> str:
    code = errno.errorcode.get(error.errno or 0) if isinstance(error, OSError) else None
    return f"{type(error).__name__} ({code})" if code else type(error).__name__
