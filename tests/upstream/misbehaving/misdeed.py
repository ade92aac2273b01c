"""What each fault is made of: when it strikes, what is said, and how the connection goes on."""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from .fault import Fault
from .http import Reply
from .service import refusal

_LATE_SECONDS: Final = 0.3
"""Longer than a client may believe that its request met a connection that had been closed before."""

_HTML: Final = b"<html><body><h1>A web page</h1></body></html>"


class When(Enum):
    """How far the request is read."""

    HEAD = auto()
    BODY = auto()


class Then(Enum):
    """What happens after the words."""

    KEEP = auto()
    CLOSE = auto()
    RESET = auto()
    HANG = auto()
    """Nothing, until the client has gone."""
    DRIP = auto()
    """One more byte now and then, until the client has gone."""
    FLOOD = auto()
    """As much as the client takes, until it has gone."""
    CLOSE_ON_REUSE = auto()
    RESET_ON_REUSE = auto()
    INTRUDE = auto()
    """Another reply, once the server is told to."""


@dataclass(frozen=True, slots=True)
class Misdeed:
    """`says`: the words, made from the true reply. `computes`: whether the work is done, and so billed. `answers`: whether the
    client can read the true reply whole. `denies`: whether the work is said to have failed, though it is done. `revokes`: whether
    the token that came is taken no longer. `waits`: seconds after the work before anything is said."""

    says: Callable[[Reply], bytes]
    then: Then = Then.KEEP
    when: When = When.BODY
    computes: bool = False
    answers: bool = False
    denies: bool = False
    revokes: bool = False
    waits: float = 0.0


def _nothing(_: Reply) -> bytes:
    return b""


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _chunked(reply: Reply, body: bytes) -> bytes:
    return reply.head("chunked") + b"%x\r\n" % len(body) + body + b"\r\n"


def _with(reply: Reply, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    return Reply(reply.status, {**reply.headers, **headers}, reply.body if body is None else body).whole()


def _says(reply: Reply) -> Callable[[Reply], bytes]:
    return lambda _: reply.whole()


def _page(status: int) -> Callable[[Reply], bytes]:
    return _says(Reply(status, {"Content-Type": "text/html"}, _HTML))


def _bomb(reply: Reply) -> bytes:
    return _with(reply, {"Content-Encoding": "deflate"}, zlib.compress(bytes(64 << 20)))


_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

INTRUDER: Final = Reply(200, {"Content-Type": "application/json"}, b'{"result": {"tags": [], "audio_name": "intruder"}}')
"""A reply that nobody asked for."""

_MOVED: Final = Reply(302, {"Location": "/elsewhere"}, b"")
_TRUE: Final = Misdeed(Reply.whole, computes=True, answers=True)

MISDEEDS: Final[Mapping[Fault, Misdeed]] = {
    Fault.NONE: _TRUE,
    Fault.RESET_BEFORE_BODY: Misdeed(_nothing, Then.RESET, When.HEAD),
    Fault.RESET_AFTER_BODY: Misdeed(_nothing, Then.RESET),
    Fault.CLOSE_AFTER_BODY: Misdeed(_nothing, Then.CLOSE),
    Fault.RESET_IN_HEAD: Misdeed(lambda true: _half(true.head()), Then.RESET, computes=True),
    Fault.RESET_IN_REPLY: Misdeed(lambda true: true.head() + _half(true.body), Then.RESET, computes=True),
    Fault.CLOSE_IN_REPLY: Misdeed(lambda true: _chunked(true, _half(true.body)), Then.CLOSE, computes=True),
    Fault.RESET_AFTER_WORK: Misdeed(_nothing, Then.RESET, computes=True, waits=_LATE_SECONDS),
    Fault.CLOSE_AFTER_WORK: Misdeed(_nothing, Then.CLOSE, computes=True, waits=_LATE_SECONDS),
    Fault.IDLE_CLOSED: Misdeed(Reply.whole, Then.CLOSE, computes=True, answers=True),
    Fault.CLOSED_ON_REUSE: Misdeed(Reply.whole, Then.CLOSE_ON_REUSE, computes=True, answers=True),
    Fault.RESET_ON_REUSE: Misdeed(Reply.whole, Then.RESET_ON_REUSE, computes=True, answers=True),
    Fault.HALF_OPEN: Misdeed(_nothing, Then.HANG, computes=True),
    Fault.SLOW_HEAD: Misdeed(lambda _: b"HTTP/1.1 200 OK\r\nX-Slow: ", Then.DRIP, computes=True),
    Fault.SLOW_BODY: Misdeed(lambda true: true.head(1 << 20) + _half(true.body), Then.DRIP, computes=True),
    Fault.STUCK_BODY: Misdeed(lambda true: true.head() + _half(true.body), Then.HANG, computes=True),
    Fault.TRUNCATED_JSON: Misdeed(lambda true: _with(true, {}, _half(true.body)), computes=True),
    Fault.LENGTH_TOO_LARGE: Misdeed(lambda true: true.head(len(true.body) + 9) + true.body, Then.CLOSE, computes=True),
    Fault.LENGTH_TOO_SMALL: Misdeed(lambda true: true.head(len(true.body) // 2) + true.body, computes=True),
    Fault.SECOND_REPLY: Misdeed(lambda true: true.whole() + INTRUDER.whole(), computes=True, answers=True),
    Fault.LATE_SECOND_REPLY: Misdeed(Reply.whole, Then.INTRUDE, computes=True, answers=True),
    Fault.WRONG_CHUNK: Misdeed(lambda true: true.head("chunked") + b"many\r\n" + true.body, Then.CLOSE, computes=True),
    Fault.WRONG_ENCODING: Misdeed(lambda true: _with(true, {"Content-Encoding": "gzip"}), computes=True),
    Fault.BOMB: Misdeed(_bomb, computes=True),
    Fault.ENDLESS: Misdeed(lambda true: true.head(1 << 40), Then.FLOOD, computes=True),
    Fault.NOT_HTTP: Misdeed(lambda _: b"SSH-2.0-OpenSSH_9.6\r\n", Then.CLOSE),
    Fault.HUGE_HEADER: Misdeed(lambda true: _with(true, {"X-Huge": "h" * (256 << 10)}), Then.CLOSE, computes=True),
    Fault.CONTINUE_TWICE: Misdeed(lambda true: 2 * _CONTINUE + true.whole(), computes=True, answers=True),
    Fault.CONTINUE_ONLY: Misdeed(lambda _: _CONTINUE, Then.CLOSE),
    Fault.EARLY_REFUSAL: Misdeed(_says(refusal(413, "APIG.0201", "the body is too large")), Then.CLOSE, When.HEAD),
    Fault.THROTTLED: Misdeed(_says(refusal(429, "APIG.0308", "too many"))),
    Fault.THROTTLED_RETRY_AFTER: Misdeed(_says(refusal(429, "APIG.0308", "too many", {"Retry-After": "1"}))),
    Fault.THROTTLED_BY_CODE: Misdeed(_says(refusal(400, "APIG.0308", "too many"))),
    Fault.INTERNAL_BY_CODE: Misdeed(_says(refusal(400, "AIS.0506", "internal error"))),
    Fault.FAILED: Misdeed(_says(Reply(500, {}, b""))),
    Fault.UNAVAILABLE: Misdeed(_page(503)),
    Fault.BAD_GATEWAY: Misdeed(_page(502)),
    Fault.GATEWAY_TIMEOUT: Misdeed(_page(504), computes=True, denies=True),
    Fault.ERROR_IN_SUCCESS: Misdeed(_says(refusal(200, "AIS.0503", "damaged"))),
    Fault.REFUSED: Misdeed(_says(refusal(400, "AIS.0503", "damaged"))),
    Fault.HTML_IN_SUCCESS: Misdeed(_page(200)),
    Fault.EMPTY_SUCCESS: Misdeed(lambda true: _with(true, {}, b"")),
    Fault.REDIRECT: Misdeed(_says(_MOVED)),
    Fault.TOKEN_REVOKED: Misdeed(_says(refusal(401, "APIG.0301", "token expired")), revokes=True),
    Fault.TOKEN_ABNORMAL: Misdeed(_says(refusal(400, "AIS.0002", "token abnormal")), revokes=True),
}
"""Every fault but those that strike before a request has come."""
