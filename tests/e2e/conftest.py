"""The command line as a user starts it: processes, ports, signals."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import pytest

SECRETS = {"password": "planted-password-7431", "access_key": "PLANTEDACCESSKEY", "secret_key": "planted-secret-key-9962"}

_CLEAN_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("IMAGE_GATEWAY_")}
_TIMEOUT = 60


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", *arguments]


class Server:
    """A running `serve` or `rest`."""

    def __init__(self, process: subprocess.Popen[str], log: TextIO, address: str) -> None:
        self.process = process
        self._log = log
        self.address = address
        self.output = ""

    def stop(self) -> int:
        """SIGTERM; returns the exit status and keeps what was printed."""
        self.process.terminate()
        self.output += self.process.communicate(timeout=_TIMEOUT)[0]
        return self.process.returncode

    def logged(self) -> str:
        """What was logged so far."""
        self._log.seek(0)
        return self._log.read()


@contextmanager
def started(arguments: Sequence[str], **settings: str) -> Iterator[Server]:
    """Start a server on a free port, wait for its `ready` line, and stop it at the end."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:  # a pipe that nobody reads would fill up and stop the server
        process = subprocess.Popen(
            command(*arguments, "--listen", "127.0.0.1:0"),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=_CLEAN_ENVIRONMENT | settings,
        )
        try:
            line = process.stdout.readline()
            kind = "http" if arguments[0] == "rest" else "grpc"
            prefix = f"ready {kind}="
            server = Server(process, log, line.removeprefix(prefix).strip())
            assert line.startswith(prefix), line + server.logged()
            yield server
            if process.poll() is None:
                assert server.stop() == 0, server.logged()
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=_TIMEOUT, env=_CLEAN_ENVIRONMENT | settings, check=False
    )


@pytest.fixture(scope="session")
def rest_face() -> Iterator[Server]:
    """A REST face with planted secrets."""
    with started(
        ["rest", "--user", "someone", "--domain", "account", "--project", "cn-east-3", "--access-key", SECRETS["access_key"]],
        IMAGE_GATEWAY_REST_PASSWORD=SECRETS["password"],
        IMAGE_GATEWAY_REST_SECRET_KEY=SECRETS["secret_key"],
    ) as server:
        yield server


@pytest.fixture(scope="session")
def tagged() -> Callable[..., list[dict[str, Any]]]:
    """Run `tag --json` and return its lines."""

    def tag(*arguments: str, status: int = 0) -> list[dict[str, Any]]:
        done = run("tag", "--json", *arguments)
        assert done.returncode == status, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return tag
