"""Outcomes for people: a table where there is room, a paragraph each where there is not."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from gateway import _native
from gateway.client import Operation, PreparedItem, TaggedItem
from gateway.errors import GatewayError
from gateway.media import ImageFacts, TaggedImage
from gateway.prepare.operations import LIMITS

PIPE_WIDTH: Final = 120
"""Columns to assume where there is no terminal to ask."""

_TABLE_WIDTH: Final = 100
_OUTCOME_WIDTH: Final = 34
_SHOWN_TAGS: Final = 4


class OutputConsole(Console):
    """A console on standard output that leaves a broken pipe to the command line, and no terminal to chance."""

    def __init__(self) -> None:
        terminal = sys.stdout is not None and sys.stdout.isatty()
        super().__init__(width=None if terminal else PIPE_WIDTH)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


@dataclass(frozen=True, slots=True)
class Row:
    """One item: short facts (none if it failed), and what became of it, which may be long."""

    item_id: str
    facts: tuple[str, ...]
    outcome: Text


def print_table(items: Sequence[TaggedItem], console: Console) -> None:
    """Print file, picture, what preparation did, the most confident tags, and the time spent on the picture."""
    columns = (
        Column("size", no_wrap=True),
        Column("preparation"),
        Column("tags (confidence in %)", ratio=1),
        Column("time", justify="right", no_wrap=True),
    )
    rows = [
        Row(item.item_id, (), _why_not(item.outcome))
        if isinstance(item.outcome, GatewayError)
        else Row(item.item_id, _tagged_facts(item.outcome), _tags(item.outcome))
        for item in items
    ]
    _print_rows(rows, columns, console)


def prepared_row(item: PreparedItem, operation: Operation) -> Row:
    """One item's picture as given and as it would be sent, and what was done to it."""
    if isinstance(item.outcome, GatewayError):
        return Row(item.item_id, (), _why_not(item.outcome))
    image = item.outcome.image
    sent = image.sent or image.facts
    share = _native.base64_length(sent.size_bytes) / LIMITS[operation].max_base64
    facts = (
        _shown(image.facts),
        _shown(sent) if image.sent is not None else "as it is",
        f"{share:.1%}",
    )
    return Row(item.item_id, facts, Text("\n".join(map(str, image.actions))) if image.actions else Text("nothing", style="dim"))


def print_prepared(rows: Sequence[Row], console: Console) -> None:
    """Print file, the picture given, the one that would be sent, its share of the limit, and what was done, or why not."""
    columns = (
        Column("given"),
        Column("would be sent"),
        Column("of limit", justify="right", no_wrap=True),
        Column("what is done, or why not", ratio=1, min_width=_OUTCOME_WIDTH),
    )
    _print_rows(rows, columns, console)


def _print_rows(rows: Sequence[Row], columns: Sequence[Column], console: Console) -> None:
    """Print rows whose facts fill the columns in order, but for the one with a ratio, which is the outcome's."""
    names = _short_names([row.item_id for row in rows])
    if console.width < _TABLE_WIDTH:
        for name, row in zip(names, rows, strict=True):
            facts = "  ".join(filter(None, row.facts))
            console.print(Text(name, style="bold").append(f"  {facts}", style="not bold dim"))
            console.print(Padding(row.outcome, (0, 0, 0, 2)))
        return
    name_column = Column("picture", overflow="fold", max_width=40)
    table = Table(name_column, *columns, box=None, pad_edge=False, header_style="bold")
    for name, row in zip(names, rows, strict=True):
        table.add_row(Text(name), *_cells(row, columns))
    console.print(table)


def _cells(row: Row, columns: Sequence[Column]) -> Iterator[Text]:
    facts = iter(row.facts)
    for column in columns:
        yield row.outcome if column.ratio is not None else Text(next(facts, ""))


def _short_names(ids: Sequence[str]) -> list[str]:
    """Names without their folders, unless two would then be the same."""
    short = [item_id.rpartition("/")[2] or item_id for item_id in ids]
    return short if len(set(short)) == len(set(ids)) else list(ids)


def _tagged_facts(tagged: TaggedImage) -> tuple[str, str, str]:
    """Size, preparation, and the time spent on the picture; waiting for its turn is not counted."""
    time = f"{(tagged.prepare_time + tagged.reply.work_time) * 1000:.0f} ms"
    if tagged.facts is None:
        return "", "", time
    return _shown(tagged.facts), ", ".join(tagged.actions) or "untouched", time


def _shown(facts: ImageFacts) -> str:
    turned = f", EXIF\u00a0{facts.orientation}" if facts.orientation != 1 else ""
    return f"{_size(facts.size_bytes)} {facts.format.upper()}, {facts.width}×{facts.height}{turned}"


def _size(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1e3:.0f} kB" if size < 999_500 else f"{size / 1e6:.1f} MB"


def _why_not(error: GatewayError) -> Text:
    return Text(f"{error.reason}: {error.message}", style="red")


def _tags(tagged: TaggedImage) -> Text:
    tags = tagged.reply.tags
    text = Text()
    for tag in tags[:_SHOWN_TAGS]:
        # No break between a name and its figure.
        text.append(", " if text else "").append(tag.name, style="" if text else "bold").append(f"\u00a0{tag.confidence:.0f}")
    if len(tags) > _SHOWN_TAGS:
        text.append(f" (+{len(tags) - _SHOWN_TAGS})", style="dim")
    return text or Text("none above the threshold", style="dim")
