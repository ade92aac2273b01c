"""A cloud that is asked through a sender: no sockets, so each test says what is answered, and sees all that was sent."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from urllib.parse import urlsplit

import pytest
from multidict import CIMultiDict

from gateway.errors import GatewayError
from gateway.upstream.credentials.cloud_clock import CloudClock
from gateway.upstream.outcome import Attempt, Outcome
from gateway.upstream.outgoing import Outgoing
from gateway.upstream.reply import HttpReply
from gateway.upstream.verdict import classify

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


class Clock:
    """This machine's clock, which stands until it is set or somebody sleeps."""

    def __init__(self) -> None:
        self.now = NOW

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Sent:
    """What arrived."""

    outgoing: Outgoing
    headers: dict[str, str]
    timeout: float | None

    @property
    def place(self) -> str:
        return f"{self.outgoing.method} {urlsplit(self.outgoing.url).path}"

    @property
    def document(self) -> object:
        return json.loads(self.outgoing.body)


Answer = Callable[[Sent], HttpReply | GatewayError]


class PlayedCloud:
    """Answers each place as `answers` say; what has no answer there is unknown."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.sent: list[Sent] = []

    async def send(self, outgoing, headers, *, timeout=None) -> Attempt:
        sent = Sent(outgoing, {**outgoing.headers, **headers}, timeout)
        self.sent.append(sent)
        answer = self.answers.get(sent.place, lambda _: reply(404))(sent)
        if isinstance(answer, GatewayError):
            return Attempt(Outcome.LOST, error=answer)
        return classify(answer)

    def places(self) -> list[str]:
        return [sent.place for sent in self.sent]


def reply(status: int = 200, body: object = b"", *, date: float | None = None, **headers: str) -> HttpReply:
    """A reply with `body`, as JSON unless it is bytes; `date` is the server's clock."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if date is not None:
        named["Date"] = formatdate(date, usegmt=True)
    return HttpReply(status, CIMultiDict(named), body if isinstance(body, bytes) else json.dumps(body).encode())


@pytest.fixture(name="reply")
def reply_maker():
    return reply


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Let threads and tasks go on until `condition` holds."""
    for _ in range(5000):
        if await condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError


@pytest.fixture(name="until")
def until_waiter():
    return until


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud_clock(clock) -> CloudClock:
    return CloudClock(clock)


@pytest.fixture
def cloud() -> PlayedCloud:
    return PlayedCloud()


@pytest.fixture
def issuing(cloud, clock) -> None:
    """Each sign-in gets the next token: of 20 000 characters, as of services with many roles."""
    place = "POST /v3/auth/tokens"

    def answer(_: Sent) -> HttpReply:
        issued_at, expires_at = (datetime.fromtimestamp(clock.now + after, UTC) for after in (0, 86_400))
        token = {
            "issued_at": issued_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "expires_at": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "project": {"id": "p7"},
        }
        return reply(201, {"token": token}, X_Subject_Token=f"secret-{cloud.places().count(place)}-" + "t" * 20_000)

    cloud.answers[place] = answer
