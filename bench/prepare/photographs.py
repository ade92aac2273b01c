"""Real photographs at native resolution, and pictures of a camera's size that are tiled from them."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from .environments import ROOT, cache

EXAMPLES = ROOT / "examples" / "photos"
PACKAGE = "plasma-workspace-wallpapers"

# The photographs with most texture; many of the other wallpapers are drawn.
_DEBIAN = tuple(
    f"wallpapers/{name}/contents/images/2560x1600.jpg"
    for name in ("Path", "OneStandsOut", "EveningGlow", "FallenLeaf", "BytheWater", "ColorfulCups")
)
_MANY = 6
_LEAST_PIXELS = 1_000_000


def find(folder: Path | None) -> tuple[list[Path], str]:
    """Photographs, and where they are from: those of `folder`, or Debian's, or the few that are shipped."""
    if folder:
        found = _largest(folder)
        if not found:
            raise SystemExit(f"no photographs of {_LEAST_PIXELS} pixels or more in {folder}")
        return found, f"the {len(found)} largest of {folder}"
    for share in (Path("/usr/share"), cache("debian") / "usr" / "share"):
        if found := _debian(share):
            return found, f"Debian's {PACKAGE}: {', '.join(path.parts[-4] for path in found)}"
    reason = _fetch()
    if found := _debian(cache("debian") / "usr" / "share"):
        return found, f"Debian's {PACKAGE}: {', '.join(path.parts[-4] for path in found)}"
    return _largest(EXAMPLES), f"examples/photos only, as Debian's cannot be fetched ({reason})"


def _debian(share: Path) -> list[Path]:
    found = [share / name for name in _DEBIAN]
    return found if all(path.is_file() for path in found) else []


def _fetch() -> str:
    """Take Debian's package apart in the cache; needs no root. The reason, if that failed."""
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return "there is no apt-get"
    folder = cache("debian")
    commands = [["apt-get", "download", PACKAGE]]
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - fixed
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["it failed"])[-1]
        if command[0] == "apt-get":
            commands += [["dpkg", "-x", str(package), str(folder)] for package in sorted(folder.glob("*.deb"))]
    return ""


def _largest(folder: Path) -> list[Path]:
    sized = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp", ".bmp"}:
            with Image.open(path) as image:
                sized.append((image.width * image.height, path))
    sized.sort(key=lambda each: -each[0])
    large = [path for pixels, path in sized if pixels >= _LEAST_PIXELS]
    return (large or [path for _, path in sized])[:_MANY]


def mosaic(photographs: Sequence[Path], width: int, height: int) -> Image.Image:
    """Photographs side by side, each at its own resolution, cropped at its centre to what all of them have."""
    opened = []
    for path in photographs:
        with Image.open(path) as image:
            opened.append(image.convert("RGB"))
    least = min(each.width for each in opened), min(each.height for each in opened)
    columns, rows = -(-width // least[0]), -(-height // least[1])
    # Seams between blocks of a JPEG cost no bytes; within blocks they do.
    across, down = min(least[0], _blocks(width, columns)), min(least[1], _blocks(height, rows))
    out = Image.new("RGB", (width, height))
    for index in range(rows * columns):
        each = opened[index % len(opened)]
        left, top = (each.width - across) // 2, (each.height - down) // 2
        out.paste(each.crop((left, top, left + across, top + down)), (index % columns * across, index // columns * down))
    return out


def _blocks(length: int, parts: int) -> int:
    """An equal part of `length`, up to the next whole block of a JPEG with 4:2:0 chroma."""
    return -(-length // parts // 16) * 16
