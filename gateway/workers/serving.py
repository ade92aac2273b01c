"""`serve --workers N`: a port, a supervisor, the workers' command lines."""

import sys
from collections.abc import Callable, Sequence

from gateway.config import GatewaySettings
from gateway.workers.channel import Place
from gateway.workers.port import reserved
from gateway.workers.process import WorkerProcess, start_worker
from gateway.workers.shares import check_divisible
from gateway.workers.supervisor import Supervisor


async def supervise(settings: GatewaySettings, arguments: Sequence[str], announce: Callable[[str], None]) -> int:
    """Serve with `settings.rpc.workers` processes until told to stop; gives the exit status.

    `arguments` are those of this process's command, which the workers get, too: each reads the settings by itself, so that one
    that is started later finds what has changed in the file, and the program as it is then. `announce` gets the address.
    Raises `ConfigError`, `OSError`.
    """
    check_divisible(settings)
    with reserved(settings.listen) as address:
        # The port and the number are settled once for all, whatever the file says later.
        fixed = ("--listen", address, "--workers", str(settings.rpc.workers))

        def command(place: Place) -> Sequence[str]:
            return (*_program(), *arguments, *fixed, "--as-worker", str(place))

        async def start(index: int) -> WorkerProcess:
            return await start_worker(command, index)

        supervisor = Supervisor(start, count=settings.rpc.workers, drain_timeout=settings.rpc.drain_timeout)
        return await supervisor.run(lambda: announce(address))


def _program() -> Sequence[str]:
    """How this program was started, up to its own arguments."""
    return (sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1])
