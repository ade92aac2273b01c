"""The server: accepts, reads, lets the plan decide, and does it."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Final

from .books import Books
from .connection import Connection
from .fault import Fault
from .http import MAX_HEAD, Reply, Request, read_body, read_head
from .misdeed import INTRUDER, MISDEEDS, Then
from .plan import Plan, Script
from .service import Service

SIGN_IN: Final = "/v3/auth/tokens"
PROJECTS: Final = "/v3/projects?"
_UNREAD: Final = Reply(200, {}, b"")
"""What a request deserves of which the body is not known."""


class MisbehavingCloud:
    """One server on loopback. Tests set `plan`, and read `books`.

    `gate`: clear it to hold all work. `intrude`: set it to have `Fault.LATE_SECOND_REPLY` go on.
    """

    def __init__(self, plan: Plan | None = None, service: Service | None = None, latency: float = 0.0) -> None:
        """`latency`: seconds that the work on each request takes."""
        self.plan = plan or Script()
        self.service = service or Service()
        self.books = Books()
        self.intrude = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""
        self._latency = latency
        self._at_work: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()

    @contextlib.asynccontextmanager
    async def listening(self, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
        """Accept connections on a port, which is given; at the end, break those that are left."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=MAX_HEAD, ssl=tls, backlog=1024)
        bound = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{bound}"
        try:
            yield bound
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await server.wait_closed()

    async def until(self, condition: Callable[[Books], bool]) -> None:
        """Wait until `condition` holds of the books."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: condition(self.books))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(Connection(reader, writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection) -> None:
        self.books.connections += 1
        self.books.open_connections += 1
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, OSError):
                await self._converse(connection)
        except (ValueError, asyncio.LimitOverrunError) as error:
            self.books.stray.append(repr(error))
        finally:
            await connection.close()
            self.books.open_connections -= 1
            await self._tell()

    async def _converse(self, connection: Connection) -> None:
        fault = self._struck(self.plan.on_accept())
        if fault is not Fault.NONE:
            if fault is Fault.RESET_ON_ACCEPT:
                connection.reset()
            return
        then = Then.KEEP
        while then is not Then.CLOSE:
            request = await read_head(connection.reader)
            if then is Then.KEEP:
                then = await self._exchange(connection, request)
                continue
            await read_body(connection.reader, request)
            if then is Then.RESET_ON_REUSE:
                connection.reset()
            return

    async def _exchange(self, connection: Connection, head: Request) -> Then:
        """Answer one request. The result says how the connection goes on."""
        if head.target.startswith(SIGN_IN):
            await connection.write(self.service.sign_in(await read_body(connection.reader, head)).whole())
            self.books.sign_ins = self.service.sign_ins
            return Then.KEEP
        if head.target.startswith(PROJECTS):
            await connection.write(self.service.projects(head).whole())
            return Then.KEEP
        if head.method == "HEAD":
            await connection.write(Reply(404, {"Connection": "close"}, b"").whole())
            return Then.CLOSE
        fault = self._struck(self.plan.on_head())
        if fault is not Fault.NONE:
            await connection.write(MISDEEDS[fault].says(_UNREAD))
            return await self._end(connection, MISDEEDS[fault].then)
        return await self._operation(connection, await read_body(connection.reader, head))

    async def _operation(self, connection: Connection, request: Request) -> Then:
        marker, true = self.service.answer(request)
        self.books.received[marker] += 1
        objection = self.service.objection(request)
        if objection is not None:
            await connection.write(objection.whole())
            return Then.KEEP
        misdeed = MISDEEDS[self._struck(self.plan.on_request(marker, self.books.received[marker]))]
        await self._work(connection)
        self.books.billed[marker] += misdeed.computes
        self.books.denied[marker] += misdeed.denies
        if misdeed.revokes:
            self.service.revoke(request)
        await self._tell()
        await asyncio.sleep(misdeed.waits)
        await connection.write(misdeed.says(true))
        self.books.answered[marker] += misdeed.answers
        return await self._end(connection, misdeed.then)

    async def _work(self, connection: Connection) -> None:
        """Ends before the client can know: the next request that it makes is not at the same time as this one."""
        self._at_work.add(connection)
        under_way = sum(not each.is_left for each in self._at_work)
        self.books.most_under_way = max(self.books.most_under_way, under_way)
        try:
            await self._tell()
            await self.gate.wait()
            await asyncio.sleep(self._latency)
        finally:
            self._at_work.discard(connection)

    async def _end(self, connection: Connection, then: Then) -> Then:
        match then:
            case Then.RESET:
                connection.reset()
            case Then.HANG:
                await connection.left()
            case Then.DRIP:
                await connection.drip()
            case Then.FLOOD:
                await connection.flood()
            case Then.INTRUDE:
                await self.intrude.wait()
                await connection.write(INTRUDER.whole())
                return Then.KEEP
            case _:
                return then
        return Then.CLOSE

    def _struck(self, fault: Fault) -> Fault:
        if fault is not Fault.NONE:
            self.books.faults[fault] += 1
        return fault

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()
