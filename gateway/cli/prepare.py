"""`image-gateway prepare`: show what would be sent of files and URLs, and why not; through a gateway or in this process."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from gateway.cli.connection import opened_connection
from gateway.cli.embedded import outcomes_here
from gateway.cli.output import OutputFolder
from gateway.cli.render import prepared_json, print_json
from gateway.cli.sources import loader
from gateway.cli.table import OutputConsole, Row, prepared_row, print_prepared
from gateway.client import GatewayError, Operation, PreparedItem, PrepareOptions, PreprocessClient
from gateway.config import GatewaySettings
from gateway.server import opened_preprocess

_LARGEST_FILE: Final = 256 << 20
"""Longest file that is read where no message has to carry it: pictures far over the limits are what preparation is for."""


@dataclass(frozen=True, slots=True)
class PrepareRequest:
    """What the command line asks for."""

    sources: tuple[str, ...]
    operation: Operation
    options: PrepareOptions
    target: str | None
    as_json: bool
    out: Path | None


async def run_prepare(request: PrepareRequest, settings: GatewaySettings) -> int:
    """Prepare, print, and return the exit status: 0, or 1 if any picture was refused."""
    folder = OutputFolder(request.out) if request.out is not None else None
    rows: list[Row] = []  # and not the items, whose files are large
    failed = 0
    async with contextlib.aclosing(_outcomes(request, settings)) as outcomes:
        async for item in outcomes:
            failed += isinstance(item.outcome, GatewayError)
            written = await asyncio.to_thread(_save, item, folder)
            if request.as_json:
                print_json(prepared_json(item, request.operation, written))
            else:
                rows.append(prepared_row(item, request.operation))
    if not request.as_json:
        print_prepared(rows, OutputConsole())
    return 1 if failed else 0


def _save(item: PreparedItem, folder: OutputFolder | None) -> Path | None:
    if folder is None or isinstance(item.outcome, GatewayError):
        return None
    return folder.save(item.item_id, item.outcome.image)


async def _outcomes(request: PrepareRequest, settings: GatewaySettings) -> AsyncGenerator[PreparedItem]:
    if request.target is not None:
        items = map(loader, request.sources)
        async with opened_connection(request.target, settings.client) as connection, PreprocessClient(connection) as client:
            there = client.prepare_stream(items, request.options, operation=request.operation, in_order=True)
            async with contextlib.aclosing(there) as outcomes:
                async for item in outcomes:
                    yield item
        return
    items = map(partial(loader, max_bytes=_LARGEST_FILE), request.sources)
    # The person at the command line may reach every URL and decode every file anyway.
    download = settings.download.model_copy(update={"allow_private": True})
    prepare = settings.prepare.model_copy(update={"allow_other_formats": True})
    async with opened_preprocess(settings.model_copy(update={"download": download, "prepare": prepare})) as preprocess:
        here = outcomes_here(
            lambda source: preprocess.prepare(source, request.operation, request.options),
            items,
            window=settings.prepare.workers * 2,
        )
        async with contextlib.aclosing(here) as outcomes:
            async for item in outcomes:
                yield item
