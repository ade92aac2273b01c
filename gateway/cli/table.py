"""Outcomes as a table for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.client import TaggedItem
from gateway.errors import GatewayError
from gateway.media import TaggedImage

_SHOWN_TAGS = 4


def print_table(items: Sequence[TaggedItem], console: Console) -> None:
    """Print file, picture, what preparation did, the most confident tags, and the time."""
    table = Table(box=None, pad_edge=False, header_style="bold", row_styles=["", "dim"] if len(items) > 30 else None)
    table.add_column("picture", no_wrap=True)
    table.add_column("size", no_wrap=True)
    table.add_column("preparation")
    table.add_column("tags (confidence in %)", ratio=1)
    table.add_column("ms", justify="right", no_wrap=True)
    for item in items:
        name = Text(item.item_id.rpartition("/")[2] or item.item_id)
        if isinstance(item.outcome, GatewayError):
            table.add_row(name, "", "", Text(f"{item.outcome.reason}: {item.outcome.message}", style="red"), "")
        else:
            table.add_row(name, _facts(item.outcome), _actions(item.outcome), _tags(item.outcome), _time(item.outcome))
    console.print(table)


def _facts(tagged: TaggedImage) -> str:
    if tagged.facts is None:
        return ""
    facts = tagged.facts
    turned = f", EXIF {facts.orientation}" if facts.orientation != 1 else ""
    return f"{facts.size_bytes / 1000:.0f} kB {facts.format.upper()}, {facts.width}×{facts.height}{turned}"


def _actions(tagged: TaggedImage) -> str:
    return ", ".join(tagged.actions) or ("untouched" if tagged.facts else "")


def _tags(tagged: TaggedImage) -> Text:
    text = Text()
    for tag in tagged.reply.tags[:_SHOWN_TAGS]:
        text.append(", " if text else "").append(tag.name, style="bold" if not text else "").append(f" {tag.confidence:.0f}")
    more = len(tagged.reply.tags) - _SHOWN_TAGS
    return text.append(f" (+{more})", style="dim") if more > 0 else text or Text("none above the threshold", style="dim")


def _time(tagged: TaggedImage) -> str:
    return f"{(tagged.prepare_time + tagged.reply.queue_time + tagged.reply.work_time) * 1000:.0f}"
