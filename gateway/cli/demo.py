"""`image-gateway demo`: the main job, whole: client → gRPC → gateway → HTTP with a token → REST face → engine, and back."""

import asyncio
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.access.settings import AccessSettings
from gateway.cli.annotate import Annotator, save_overview
from gateway.cli.render import tagged_json
from gateway.cli.sources import is_uri, loader
from gateway.cli.table import print_table
from gateway.client import GatewayError, TaggedItem, TaggingClient, TaggingParameters
from gateway.config import GatewaySettings
from gateway.rpc.settings import RpcSettings
from gateway.server import running_gateway, running_rest_face

_PHOTOS = Path("examples") / "photos"
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What the command line asks for."""

    files: tuple[str, ...]
    parameters: TaggingParameters
    out: Path


def shipped_photos() -> tuple[str, ...]:
    """The photographs of the source tree, looked for beside the package and then in the current folder."""
    for folder in (Path(__file__).parents[2] / _PHOTOS, _PHOTOS):
        if folder.is_dir():
            shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
            return tuple(sorted(str(file) for file in shown.iterdir() if file.suffix in _SUFFIXES))
    return ()


async def run_demo(request: DemoRequest, settings: GatewaySettings, console: Console) -> int:
    """Run the demo and return the exit status: 0, or 1 if any item failed."""
    annotator = Annotator(request.out)
    password = secrets.token_urlsafe(24)
    free_port = "127.0.0.1:0"
    rest = settings.rest.model_copy(update={"listen": free_port, "password": SecretStr(password), "password_file": None})
    async with running_rest_face(settings.model_copy(update={"rest": rest})) as rest_address:
        console.print(f"REST face on http://{rest_address}, computing with the local engine", highlight=False)
        base = f"http://{rest_address}"
        cloud = settings.cloud.model_copy(
            update={
                "endpoint": base,
                "iam_endpoint": base,
                "user": rest.user,
                "domain": rest.domain,
                "project": rest.project,
                "project_id": None,
                "password": SecretStr(password),
                "password_file": None,
            }
        )
        # Between these two and this process nobody has to say who they are.
        open_to_us = {"access": AccessSettings(), "rpc": RpcSettings()}
        gateway = settings.model_copy(update={"listen": free_port, "provider": "cloud", "cloud": cloud, **open_to_us})
        async with running_gateway(gateway) as address:
            console.print(f"gateway on {address}, with that REST face as its cloud\n", highlight=False)
            items = await _stream(address, request, console)
    print_table(items, console)
    await asyncio.to_thread(_write, items, request.out, annotator)
    failed = sum(isinstance(item.outcome, GatewayError) for item in items)
    console.print(
        f"\n{len(items) - failed} of {len(items)} tagged; annotated pictures and results.json are in {request.out}/",
        highlight=False,
    )
    return 1 if failed or not items else 0


async def _stream(address: str, request: DemoRequest, console: Console) -> list[TaggedItem]:
    progress = Progress(
        TextColumn("tagging"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console, transient=True
    )
    items = []
    with progress:
        bar = progress.add_task("tagging", total=len(request.files))
        async with TaggingClient(address) as client:
            async for item in client.tag_stream(map(loader, request.files), request.parameters, in_order=True):
                items.append(item)
                progress.advance(bar)
    return items


def _write(items: Sequence[TaggedItem], out: Path, annotator: Annotator) -> None:
    results = json.dumps([tagged_json(item) for item in items], ensure_ascii=False, indent=1)
    (out / "results.json").write_text(results + "\n", encoding="utf-8", errors="backslashreplace")
    saved = [
        annotator.save(Path(item.item_id), item.outcome.reply.tags)
        for item in items
        if not isinstance(item.outcome, GatewayError) and not is_uri(item.item_id)
    ]
    if pictures := [path for path in saved if path is not None]:
        save_overview(pictures, out / "overview.jpg")
