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

_UNUSABLE: Final = (Outcome.REFUSED, Reason.UPSTREAM_NOT_FOUND, "the configured endpoint is not a usable URL")
"""A refusal, though it is ours: the URL is as unusable the next time, and it tells nothing of whether the service works."""


def _unreachable(message: str) -> _Judgement:
    return Outcome.NOT_SENT, Reason.UPSTREAM_UNAVAILABLE, message


_CONNECTING: Final[tuple[tuple[type[BaseException], _Judgement], ...]] = (
    (TimeoutError, _unreachable("no connection to the cloud could be made in time")),
    (
        aiohttp.ClientConnectorCertificateError,
        _unreachable("the cloud's TLS certificate is not trusted, or not for its name"),
    ),
    (aiohttp.ClientConnectorSSLError, _unreachable("no TLS connection to the cloud could be made")),
    (aiohttp.InvalidURL, _UNUSABLE),
    (aiohttp.NonHttpUrlClientError, _UNUSABLE),
    (aiohttp.ClientError, _unreachable("no connection to the cloud could be made")),
    (ValueError, _UNUSABLE),
    (OSError, _unreachable("no connection to the cloud could be made")),
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
    for kind, judgement in _CONNECTING:
        if isinstance(error, kind):
            return judgement
    raise error


def _connected(error: Exception, exchange: Exchange) -> _Judgement:
    if isinstance(error, aiohttp.ClientResponseError):
        return Outcome.MALFORMED, Reason.UPSTREAM_BAD_RESPONSE, "the cloud's reply is not valid HTTP"
    if isinstance(error, aiohttp.ClientError | OSError):
        return _late(exchange) if isinstance(error, TimeoutError) else _broken(exchange)
    return Outcome.REFUSED, Reason.INTERNAL, "a header of the request holds what HTTP cannot carry"


def _late(exchange: Exchange) -> _Judgement:
    if exchange.may_be_whole:
        return Outcome.LOST, Reason.UPSTREAM_TIMEOUT, "the cloud did not answer in time"
    return _unreachable("the cloud did not take the whole request in time")


def _broken(exchange: Exchange) -> _Judgement:
    if exchange.is_answered:
        return Outcome.LOST, Reason.UPSTREAM_REPLY_LOST, "the connection broke while the cloud answered"
    if exchange.is_stale:
        return Outcome.STALE, Reason.UPSTREAM_UNAVAILABLE, "the cloud closed a kept connection as it was used again"
    if exchange.may_be_whole:
        return Outcome.LOST, Reason.UPSTREAM_REPLY_LOST, "the cloud closed the connection before it answered"
    return _unreachable("the connection to the cloud broke before the request was sent")


def _described(error: Exception) -> str:
    code = errno.errorcode.get(error.errno or 0) if isinstance(error, OSError) else None
    return f"{type(error).__name__} ({code})" if code else type(error).__name__
