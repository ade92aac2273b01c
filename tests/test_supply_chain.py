"""What docs/security.md promises about itself and about what is shipped."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SOURCES = [file for folder in ("gateway", "tests", "tools", "bench", "examples") for file in (ROOT / folder).rglob("*.py")]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(tests/[\w/.]+(?:::\w+)?)`", SECURITY))))
def test_every_test_that_is_named_exists(name) -> None:
    path, _, test = name.partition("::")
    assert (ROOT / path).exists()
    assert not test or re.search(rf"def {test}\(", (ROOT / path).read_text(encoding="utf-8"))


def test_every_threat_names_tests_or_says_that_they_are_to_be_named() -> None:
    rows = re.findall(r"^\| [STRIDE] \|.*$", SECURITY, re.MULTILINE)
    assert len(rows) > 30
    for row in rows:
        shown_by = row.split(" | ")[3]
        assert "`tests/" in shown_by or shown_by == "*to be named*", row


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit_and_rights_are_none_unless_given(workflow) -> None:
    text = workflow.read_text(encoding="utf-8")
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) and "# v" in version for action, version in used)
    assert "\npermissions: {}\n" in text
    assert text.count("persist-credentials: false") == text.count("uses: actions/checkout@")


@pytest.mark.parametrize("lock", sorted(ROOT.glob("requirements*.lock")), ids=lambda file: file.name)
def test_every_locked_package_has_its_hashes(lock) -> None:
    text = lock.read_text(encoding="utf-8")
    packages = re.findall(r"^[A-Za-z0-9._-]+==", text, re.MULTILINE)
    entries = [entry for entry in re.split(r"\n(?=[A-Za-z0-9])", text) if "==" in entry]
    assert packages
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "index-url" not in text


def test_crates_come_from_the_registry_with_their_checksums() -> None:
    packages = tomllib.loads((ROOT / "native" / "Cargo.lock").read_text(encoding="utf-8"))["package"]
    others = [package for package in packages if package["name"] != "image-gateway-native"]
    assert others
    assert all(package["source"].startswith("registry+") and package["checksum"] for package in others)


def test_every_exception_from_the_rules_of_security_has_its_reason() -> None:
    bare = [
        f"{file.relative_to(ROOT)}: {line.strip()}"
        for file in SOURCES
        if "imagerecognition" not in file.parts
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"# noqa: [A-Z0-9, ]*\bS\d{3}\b[A-Z0-9, ]*$", line)
    ]
    assert bare == []
