"""The examples that users copy, against a real gateway: of the README, of the client's own documentation, `examples/python`."""

import asyncio
import re
import shutil
import sys
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import gateway.client
from gateway.config import GatewaySettings
from gateway.server import running_gateway

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
ADDRESS = "127.0.0.1:50051"
"""What the examples call."""


@pytest.fixture
async def target() -> AsyncIterator[str]:
    async with running_gateway(GatewaySettings(listen="127.0.0.1:0")) as target:
        yield target


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with the files that the client's examples name."""
    for name in ("cat.jpg", "night.jpg", "photos/dog.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        shutil.copy(EXAMPLES / "photos" / "dog.jpg", path)
    shutil.copy(next((EXAMPLES / "music").glob("*.mp4")), tmp_path / "clip.mp4")
    return tmp_path


async def ran(code: str, *arguments: str, folder: Path) -> str:
    """What a program prints. It must end well, and complain of nothing."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-c",
        code,
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaints.decode()
    assert "Error" not in complaints.decode()
    return output.decode()


async def test_the_readme_s_programs(target) -> None:
    programs = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert programs
    for program in programs:
        assert ADDRESS in program
        assert "cat" in await ran(program.replace(ADDRESS, target), folder=ROOT)


async def test_the_client_s_own_examples(target, pictures) -> None:
    documentation = gateway.client.__doc__ or ""
    blocks = re.findall(r"^(?:async )?with .*\n(?:    .*\n)+", documentation, re.MULTILINE)
    assert len(blocks) >= 3
    assert sum(f'("{ADDRESS}")' in block for block in blocks) == documentation.count(ADDRESS), "an example that is not run"
    for block in blocks:
        body = textwrap.indent(block.replace(ADDRESS, target), "    ")
        imports = "import asyncio\nfrom pathlib import Path\nfrom gateway.client import *\n"
        await ran(f"{imports}\nasync def main():\n{body}\nasyncio.run(main())\n", folder=pictures)
    assert (pictures / "smaller.jpg").stat().st_size > 0
    assert (pictures / "brighter.jpg").stat().st_size > 0


async def test_tagging_a_folder(target, pictures) -> None:
    program = (EXAMPLES / "python" / "tag_folder.py").read_text(encoding="utf-8")
    output = await ran(program, target, str(pictures), folder=pictures)
    assert len(output.splitlines()) == 3
    assert all("dog" in line.split(": ")[1].lower() for line in output.splitlines())


async def test_brightening(target, pictures) -> None:
    program = (EXAMPLES / "python" / "brighten.py").read_text(encoding="utf-8")
    await ran(program, target, "night.jpg", "day.jpg", folder=pictures)
    assert (pictures / "day.jpg").read_bytes()[:2] == b"\xff\xd8"
