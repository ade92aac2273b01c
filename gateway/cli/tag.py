"""`image-gateway tag`: tag files and URLs, through a gateway or in this process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.annotate import Annotator
from gateway.cli.connection import opened_connection
from gateway.cli.embedded import outcomes_here
from gateway.cli.progress import progress_bar
from gateway.cli.render import print_json, tagged_json
from gateway.cli.sources import is_uri, loader
from gateway.cli.table import OutputConsole, print_table
from gateway.client import GatewayError, TaggedItem, TaggingClient, TaggingParameters
from gateway.config import GatewaySettings
from gateway.server import opened_use_cases


@dataclass(frozen=True, slots=True)
class TagRequest:
    """What the command line asks for."""

    sources: tuple[str, ...]
    parameters: TaggingParameters
    target: str | None
    as_json: bool
    annotate_dir: Path | None


async def run_tag(request: TagRequest, settings: GatewaySettings) -> int:
    """Tag, print, and return the exit status: 0, or 1 if any item failed."""
    annotator = Annotator(request.annotate_dir) if request.annotate_dir is not None else None
    items: list[TaggedItem] = []
    failed = 0
    async with contextlib.aclosing(_outcomes(request, settings)) as outcomes:
        with progress_bar(len(request.sources)) as advance:
            async for item in outcomes:
                failed += isinstance(item.outcome, GatewayError)
                if request.as_json:
                    print_json(tagged_json(item))
                else:
                    items.append(item)
                if annotator is not None:
                    await asyncio.to_thread(_annotate, item, annotator)
                advance()
    if not request.as_json:
        print_table(items, OutputConsole())
    return 1 if failed else 0


def _annotate(item: TaggedItem, annotator: Annotator) -> None:
    if not isinstance(item.outcome, GatewayError) and not is_uri(item.item_id):
        annotator.save(Path(item.item_id), item.outcome.reply.tags)


async def _outcomes(request: TagRequest, settings: GatewaySettings) -> AsyncGenerator[TaggedItem]:
    items = map(loader, request.sources)
    if request.target is not None:
        async with (
            opened_connection(request.target, settings.client) as connection,
            TaggingClient(connection) as client,
            contextlib.aclosing(client.tag_stream(items, request.parameters, in_order=True)) as outcomes,
        ):
            async for item in outcomes:
                yield item
        return
    # The person who names a URL here may reach it anyway: no need to keep them out of their own network.
    download = settings.download.model_copy(update={"allow_private": True})
    async with opened_use_cases(settings.model_copy(update={"download": download})) as use_cases:
        here = outcomes_here(
            lambda source: use_cases.tag_image(source, request.parameters), items, window=settings.local.workers * 2
        )
        async with contextlib.aclosing(here) as outcomes:
            async for item in outcomes:
                yield item
