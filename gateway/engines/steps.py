"""Cancelling work that runs on a thread: between its steps it calls a checkpoint."""

from collections.abc import Callable

Checkpoint = Callable[[], None]
"""Called between steps; raises `Cancelled` if nobody waits for the result any more."""


class Cancelled(Exception):  # noqa: N818 - not an error of the work
    """The work was given up between two of its steps."""


def never_cancelled() -> None:
    """The checkpoint of work that always runs to its end."""
