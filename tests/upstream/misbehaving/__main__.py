"""The server in a process of its own.

It tells its port as the first line. Commands, a line each: `settle` waits until no connection is left, for 2 seconds at most;
`shut` closes the port and all connections; `open` opens it again. Each is answered with one line, `books` with the books as JSON.
It ends with its standard input.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time

from .fault import Fault
from .plan import Seeded, Storm
from .server import MisbehavingCloud
from .service import Service


async def _commands() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def _serve(cloud: MisbehavingCloud) -> None:
    commands = await _commands()
    async with contextlib.AsyncExitStack() as stack:
        port = await stack.enter_async_context(cloud.listening())
        _say(str(port))
        while command := (await commands.readline()).decode().strip():
            match command:
                case "shut":
                    await stack.aclose()
                case "open":
                    await stack.enter_async_context(cloud.listening(port))
                case "settle":
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(2):
                            await cloud.until(lambda books: books.open_connections == 0)
            _say(cloud.books.to_json() if command == "books" else "done")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # this is how it talks


def _weights(text: str) -> dict[Fault, float]:
    return {Fault(name): float(weight) for name, weight in json.loads(text).items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upstream.misbehaving", description="A cloud that misbehaves.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.1, help="of the requests that are struck")
    parser.add_argument("--weights", type=_weights, default="{}", help='as JSON: {"fault": weight}')
    parser.add_argument("--calm", type=int, default=0, metavar="REQUESTS", help="spared at the beginning")
    parser.add_argument("--storm-every", type=int, default=0, metavar="REQUESTS", help="0 for never")
    parser.add_argument("--storm-length", type=int, default=0, metavar="REQUESTS")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--skew", type=float, default=0.0, metavar="SECONDS", help="by which the server's clock is ahead")
    given = parser.parse_args()
    storm = Storm(given.storm_every, given.storm_length) if given.storm_every else None
    plan = Seeded(given.seed, given.share, given.weights, storm, given.calm)

    async def run() -> None:
        await _serve(MisbehavingCloud(plan, Service(lambda: time.time() + given.skew), given.latency))

    asyncio.run(run())


if __name__ == "__main__":
    main()
