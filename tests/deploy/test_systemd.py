import re
from pathlib import Path

import pytest

from .conftest import DEPLOY, output, tool

UNIT = DEPLOY / "systemd" / "image-gateway.service"


@pytest.fixture
def unit(tmp_path) -> Path:
    """The unit with a program that is there: `verify` looks for it."""
    file = tmp_path / UNIT.name
    file.write_text(UNIT.read_text().replace("/opt/image-gateway/bin/image-gateway", "/bin/true"))
    return file


def test_systemd_understands_all_of_it(unit) -> None:
    assert output(tool("DEPLOY_TEST_SYSTEMD"), "verify", str(unit)) == ""


def test_it_is_exposed_little(unit) -> None:
    text = output(tool("DEPLOY_TEST_SYSTEMD"), "security", "--offline=true", "--no-pager", str(unit))
    exposure = re.search(r"Overall exposure level for image-gateway.service: ([\d.]+)", text)
    assert float(exposure[1]) <= 1.5


def test_calls_have_their_time_to_end() -> None:
    stop = int(re.search(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)[1])
    assert stop >= 30 + 15  # rpc.drain_timeout, and the supervisor's slack
