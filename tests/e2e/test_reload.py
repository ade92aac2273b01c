"""SIGHUP to a real gateway: what takes effect, what waits, and that a broken file changes nothing."""

import os
import signal
import time

import grpc

from gateway.imagerecognition.v1 import gateway_pb2 as pb
from gateway.imagerecognition.v1 import gateway_pb2_grpc as pb_grpc

from .conftest import Server, started

CLOUD = """
provider = "cloud"
[cloud]
endpoint = "http://127.0.0.1:9"
iam_endpoint = "http://127.0.0.1:9"
user = "someone"
domain = "account"
password = "planted"
"""


def hang_up(server: Server, said: str) -> str:
    """Send SIGHUP and wait for a line of the log; returns what was logged since."""
    before = len(server.logged())
    os.kill(server.process.pid, signal.SIGHUP)
    deadline = time.monotonic() + 30
    while said not in (logged := server.logged()[before:]):
        assert time.monotonic() < deadline, logged
        time.sleep(0.02)
    return logged


def window(server: Server) -> int:
    with grpc.insecure_channel(server.address) as channel:
        return pb_grpc.GatewayServiceStub(channel).GetInfo(pb.GetInfoRequest(), timeout=30).limits.stream_window


def test_a_gateway_takes_up_what_it_can(tmp_path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(CLOUD)
    with started(["serve", "--config", str(file)]) as server:
        assert window(server) == 16
        file.write_text("fall_back_on = ''\n" + CLOUD + "timeout = 7\n[rpc]\nstream_window = 3\n")
        logged = hang_up(server, "cloud.timeout")
        assert "settings that took effect: fall_back_on, rpc.stream_window\n" in logged
        assert "settings that need a restart to take effect: cloud.timeout\n" in logged
        assert window(server) == 3
        file.write_text("lisen = 'x'\n[rpc]\nstream_window = 5\n")
        assert "unknown setting lisen" in hang_up(server, "did you mean listen?")
        assert window(server) == 3
        file.write_text(CLOUD + "[rpc]\nstream_window = 5\n")
        hang_up(server, "settings that took effect: fall_back_on, rpc.stream_window\n")
        assert window(server) == 5
    assert "planted" not in server.output
