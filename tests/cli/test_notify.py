import socket
from collections.abc import Iterator

import pytest

from gateway.cli.notify import notify_ready


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(5)
        yield manager


@pytest.mark.parametrize("kind", ["file", "abstract"])
def test_the_service_manager_is_told(manager, kind, tmp_path, monkeypatch) -> None:
    address = str(tmp_path / "notify") if kind == "file" else f"@image-gateway-test-{id(manager)}"
    manager.bind(address.replace("@", "\0", 1))
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify_ready("ready grpc=127.0.0.1:1")
    assert manager.recv(4096) == b"READY=1\nSTATUS=ready grpc=127.0.0.1:1"


@pytest.mark.parametrize("address", ["", "/nowhere/notify"])
def test_nobody_to_tell_is_no_failure(address, monkeypatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify_ready("ready")
