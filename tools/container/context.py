"""What of the project's folder an engine would see: .dockerignore, whose last matching line decides."""

import shutil
from fnmatch import fnmatch
from pathlib import Path


class Context:
    """The build context."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        lines = (folder / ".dockerignore").read_text(encoding="utf-8").split()
        self._patterns = [(line.removeprefix("!"), line.startswith("!")) for line in lines]

    def copy(self, source: str, target: Path) -> None:
        """Copy a file or a folder's content. Raises `FileNotFoundError` for what is not in the context."""
        path = self._folder / source
        files = [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
        seen = [file for file in files if self._is_seen(file.relative_to(self._folder))]
        if not seen:
            msg = f"COPY {source}: not in the build context"
            raise FileNotFoundError(msg)
        for file in seen:
            to = target if path.is_file() else target / file.relative_to(path)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, to)

    def _is_seen(self, path: Path) -> bool:
        names = [path.as_posix(), *(parent.as_posix() for parent in path.parents)]
        seen = True
        for pattern, wanted in self._patterns:
            if any(fnmatch(name, pattern) or fnmatch(f"/{name}", pattern.replace("**", "*")) for name in names if name != "."):
                seen = wanted
        return seen
