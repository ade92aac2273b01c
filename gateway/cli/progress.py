"""How far many items are: a bar on standard error, where that is a terminal."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextlib.contextmanager
def progress_bar(total: int) -> Iterator[Callable[[], object]]:
    """Gives what is to be called for each of `total` items. Nothing is shown of a single one, nor where nobody looks; the bar is
    gone once all is done."""
    if total < 2 or sys.stderr is None or not sys.stderr.isatty():
        yield lambda: None
        return
    columns = (TextColumn("{task.percentage:>3.0f} %"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # What is printed meanwhile goes above the bar, but not what goes to a pipe or a file.
    shares = sys.stdout is not None and sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=shares) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
