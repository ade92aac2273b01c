"""The command line as a user starts it: processes, ports, signals."""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pytest
import requests

EXAMPLES = Path(__file__).parents[2] / "examples"

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
            https = "IMAGE_GATEWAY_REST_TLS_CERTIFICATE" in settings
            kind = ("https" if https else "http") if arguments[0] == "rest" else "grpc"
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
            process.stdout.close()


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=_TIMEOUT, env=_CLEAN_ENVIRONMENT | settings, check=False
    )


@pytest.fixture(scope="session")
def file_server() -> Iterator[str]:
    """The folder `examples` over HTTP; gives HOST:PORT."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: Quiet(*a, directory=os.fspath(EXAMPLES))) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{files.server_address[1]}"
        files.shutdown()


@contextmanager
def started_rest_face(**settings: str) -> Iterator[Server]:
    """A REST face with planted secrets; `settings` are further ones."""
    with started(
        ["rest", "--user", "someone", "--domain", "account", "--project", "cn-east-3", "--access-key", SECRETS["access_key"]],
        IMAGE_GATEWAY_REST_PASSWORD=SECRETS["password"],
        IMAGE_GATEWAY_REST_SECRET_KEY=SECRETS["secret_key"],
        **settings,
    ) as server:
        yield server


@pytest.fixture(scope="session")
def rest_face(file_server) -> Iterator[Server]:
    """A REST face that downloads from `file_server` and, of this machine, from nowhere else."""
    with started_rest_face(IMAGE_GATEWAY_DOWNLOAD_ALLOW=file_server) as server:
        yield server


@pytest.fixture(scope="session")
def token(rest_face) -> str:
    """A token of the REST face, got as the vendor documents it."""
    user = {"name": "someone", "password": SECRETS["password"], "domain": {"name": "account"}}
    body = {
        "auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": {"name": "cn-east-3"}}}
    }
    response = requests.post(f"http://{rest_face.address}/v3/auth/tokens", json=body, timeout=30)
    assert response.status_code == 201, response.text
    return response.headers["X-Subject-Token"]


@pytest.fixture(scope="session")
def tagged() -> Callable[..., list[dict[str, Any]]]:
    """Run `tag --json` and return its lines."""

    def tag(*arguments: str, status: int = 0) -> list[dict[str, Any]]:
        done = run("tag", "--json", *arguments)
        assert done.returncode == status, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return tag
