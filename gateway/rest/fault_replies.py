"""What clients get when a fault strikes."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import assert_never

from aiohttp import web

from gateway.rest.errors import RestError
from gateway.rest.fault_grammar import Failure, ProxyPage, Reset, Spoiled, Strike, Throttle
from gateway.rest.severed import Severed

Answer = Callable[[], Awaitable[web.StreamResponse]]
Sleep = Callable[[float], Awaitable[object]]


async def struck(fault: Strike, answer: Answer, sleep: Sleep) -> web.StreamResponse:
    """The reply in place of the genuine one, which `answer` gives and which only some faults ask for. Raises `RestError`."""
    match fault:
        case Throttle():
            raise RestError("APIG.0308", retry_after=fault.retry_after)
        case Failure(hidden=False):
            raise RestError(fault.code)
        case Failure():
            reply = RestError(fault.code).response()
            reply.set_status(200)
            return reply
        case ProxyPage():
            return _page(HTTPStatus(fault.status))
        case Reset(at="start"):
            return Severed(None, sleep=sleep)
        case Reset() | Spoiled():
            return _spoiled(fault, await answer(), sleep)
        case _:
            assert_never(fault)


def _page(status: HTTPStatus) -> web.Response:
    title = f"{status} {status.phrase}"
    text = f"<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>\r\n"
    return web.Response(text=text, status=status, content_type="text/html")


def _spoiled(fault: Reset | Spoiled, reply: web.StreamResponse, sleep: Sleep) -> web.StreamResponse:
    if not isinstance(reply, web.Response) or not isinstance(reply.body, bytes):
        return reply
    body = reply.body
    match fault:
        case Reset():
            return Severed(reply, body[: len(body) // 2] if fault.at == "body" else b"", sleep=sleep)
        case Spoiled(how="truncated"):
            reply.body = body[: len(body) // 2]
        case Spoiled(how="malformed"):
            # A brace too many at the end is overlooked by readers that stop after the first value.
            reply.body = b"{" + body
        case Spoiled(how="empty"):
            reply.body = b""
        case Spoiled(how="wrong-type"):
            reply.headers["Content-Type"] = "text/html; charset=utf-8"
    return reply
