"""`serve --workers N`: a port, a supervisor, the workers' command lines."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway import __version__
from gateway.config import ConfigError, GatewaySettings
from gateway.effective import shown_settings
from gateway.ops.log_level import LogLevel
from gateway.ops.server import process_registry, running_ops
from gateway.workers.channel import Place
from gateway.workers.pages import Sockets, WorkersPages
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
    async with contextlib.AsyncExitStack() as held:
        address = held.enter_context(reserved(settings.listen))
        sockets = Sockets(Path(held.enter_context(_folder()))) if settings.ops.listen is not None else None
        running: list[WorkerProcess] = []
        # The port and the number are settled once for all, whatever the file says later.
        fixed = ("--listen", address, "--workers", str(settings.rpc.workers))

        def command(place: Place) -> Sequence[str]:
            return (*_program(), *arguments, *fixed, "--as-worker", str(place))

        async def start(index: int) -> WorkerProcess:
            worker = await start_worker(command, index, None if sockets is None else sockets.next())
            running[:] = [*(one for one in running if one.is_running), worker]
            return worker

        if sockets is not None:
            registry, log_level = process_registry(__version__), LogLevel()
            held.callback(log_level.aclose)
            together = WorkersPages(lambda: running, settings.rpc.workers, registry, lambda: shown_settings(settings), log_level)
            await held.enter_async_context(running_ops(settings.ops, together.pages))

        supervisor = Supervisor(start, count=settings.rpc.workers, drain_timeout=settings.rpc.drain_timeout)
        return await supervisor.run(lambda: announce(address))


def _folder() -> contextlib.AbstractContextManager[str]:
    """Where workers have the sockets of their pages. Raises `ConfigError` if there can be none."""
    try:
        return tempfile.TemporaryDirectory(prefix="image-gateway-")
    except OSError as error:
        msg = f"ops.listen with rpc.workers over 1 needs a folder for temporary files (TMPDIR) to write to: {error.strerror}"
        raise ConfigError([msg]) from error


def _program() -> Sequence[str]:
    """How this program was started, up to its own arguments."""
    return (sys.executable, *sys.orig_argv[1 : len(sys.orig_argv) - len(sys.argv) + 1])
