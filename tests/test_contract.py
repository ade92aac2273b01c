"""What clients rely on is kept: the check that CI runs finds what would break them, and lets additions pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BUF = Path(sys.executable).with_name("buf")
SERVICES = ("tagging", "enhancement", "music", "preprocess", "gateway")


def breaking(contract: Path) -> subprocess.CompletedProcess[str]:
    command = [BUF, "breaking", "--against", os.fspath(ROOT / "proto" / "baseline.binpb")]
    return subprocess.run(command, cwd=contract, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def contract(tmp_path) -> Path:
    return Path(shutil.copytree(ROOT / "proto", tmp_path / "proto"))


def change(contract: Path, file: str, pattern: str, by: str) -> None:
    path = contract / "gateway" / "imagerecognition" / "v1" / f"{file}.proto"
    text, times = re.subn(pattern, by, path.read_text(encoding="utf-8"), count=1)
    assert times == 1
    path.write_text(text, encoding="utf-8")


def test_the_contract_as_it_is_breaks_nobody(contract) -> None:
    done = breaking(contract)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "pattern", "by", "rule"),
    [
        ("tagging", r"float confidence = 2;", "float confidence = 9;", "was deleted"),
        ("tagging", r"float confidence = 2;", "double confidence = 2;", "changed type"),
        ("tagging", r"float confidence = 2;", "float certainty = 2;", "changed name"),
        ("tagging", r"  rpc BatchTagImages.*\n", "", "was deleted"),
        ("stream", r"RESULT_ORDER_AS_SENT = 2;", "RESULT_ORDER_IN_ORDER = 2;", "RESULT_ORDER_AS_SENT"),
        ("music", r"rpc (\w+)\((\w+)\) returns", r"rpc \1(stream \2) returns", "client"),
    ],
)
def test_what_breaks_clients_is_found(contract, file, pattern, by, rule) -> None:
    change(contract, file, pattern, by)
    done = breaking(contract)
    assert done.returncode == 100, done.stderr  # buf's for a finding
    assert rule in done.stdout


def test_additions_pass(contract) -> None:
    change(contract, "processing", r"message Processing \{", "message Processing {\n  string more = 99;\n")
    assert breaking(contract).returncode == 0


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_in_the_baseline(service) -> None:
    assert f"gateway/imagerecognition/v1/{service}.proto".encode() in (ROOT / "proto" / "baseline.binpb").read_bytes()
