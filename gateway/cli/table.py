"""Outcomes for people: a table where there is room, a paragraph each where there is not."""

import sys
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from gateway.client import TaggedItem
from gateway.errors import GatewayError
from gateway.media import TaggedImage

PIPE_WIDTH: Final = 120
"""Columns to assume where there is no terminal to ask."""

_TABLE_WIDTH: Final = 100
_SHOWN_TAGS: Final = 4


class OutputConsole(Console):
    """A console on standard output that leaves a broken pipe to the command line, and no terminal to chance."""

    def __init__(self) -> None:
        terminal = sys.stdout is not None and sys.stdout.isatty()
        super().__init__(width=None if terminal else PIPE_WIDTH)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def print_table(items: Sequence[TaggedItem], console: Console) -> None:
    """Print file, picture, what preparation did, the most confident tags, and the time spent on the picture."""
    names = _short_names([item.item_id for item in items])
    if console.width < _TABLE_WIDTH:
        for name, item in zip(names, items, strict=True):
            facts = (
                ""
                if isinstance(item.outcome, GatewayError)
                else ", ".join(filter(None, [*_facts(item.outcome), f"{_time(item.outcome)} ms"]))
            )
            console.print(Text(name, style="bold").append(f"  {facts}", style="not bold dim"))
            console.print(Padding(_outcome(item), (0, 0, 0, 2)))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("picture", overflow="fold", max_width=40)
    table.add_column("size", no_wrap=True)
    table.add_column("preparation")
    table.add_column("tags (confidence in %)", ratio=1)
    table.add_column("ms", justify="right", no_wrap=True)
    for name, item in zip(names, items, strict=True):
        if isinstance(item.outcome, GatewayError):
            table.add_row(Text(name), "", "", _outcome(item), "")
        else:
            size, preparation = _facts(item.outcome)
            table.add_row(Text(name), size, preparation, _outcome(item), _time(item.outcome))
    console.print(table)


def _short_names(ids: Sequence[str]) -> list[str]:
    """Names without their folders, unless two would then be the same."""
    short = [item_id.rpartition("/")[2] or item_id for item_id in ids]
    return short if len(set(short)) == len(set(ids)) else list(ids)


def _facts(tagged: TaggedImage) -> tuple[str, str]:
    """Size and preparation."""
    if tagged.facts is None:
        return "", ""
    facts = tagged.facts
    turned = f", EXIF {facts.orientation}" if facts.orientation != 1 else ""
    size = f"{facts.size_bytes / 1000:.0f} kB {facts.format.upper()}, {facts.width}×{facts.height}{turned}"
    return size, ", ".join(tagged.actions) or "untouched"


def _outcome(item: TaggedItem) -> Text:
    if isinstance(item.outcome, GatewayError):
        return Text(f"{item.outcome.reason}: {item.outcome.message}", style="red")
    tags = item.outcome.reply.tags
    text = Text()
    for tag in tags[:_SHOWN_TAGS]:
        # No break between a name and its figure.
        text.append(", " if text else "").append(tag.name, style="" if text else "bold").append(f"\u00a0{tag.confidence:.0f}")
    if len(tags) > _SHOWN_TAGS:
        text.append(f" (+{len(tags) - _SHOWN_TAGS})", style="dim")
    return text or Text("none above the threshold", style="dim")


def _time(tagged: TaggedImage) -> str:
    """Milliseconds spent on the picture; waiting for its turn is not counted."""
    return f"{(tagged.prepare_time + tagged.reply.work_time) * 1000:.0f}"
