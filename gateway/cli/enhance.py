"""`image-gateway enhance`: brighten, defog or enlarge one picture, through a gateway or in this process."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.cli.connection import opened_connection
from gateway.cli.sources import loader
from gateway.client import EnhancedImage, EnhancementClient, GatewayError, ImageContent, ImageUri
from gateway.config import GatewaySettings
from gateway.errors import Reason
from gateway.media import EnhancementParameters
from gateway.server import opened_use_cases

_SUFFIXES: Final = {"jpeg": {".jpg", ".jpeg"}, "png": {".png"}}


@dataclass(frozen=True, slots=True)
class EnhanceRequest:
    """What the command line asks for."""

    source: str
    out: Path
    parameters: EnhancementParameters
    target: str | None
    overwrite: bool


async def run_enhance(request: EnhanceRequest, settings: GatewaySettings) -> int:
    """Enhance, write the result, say what it is, and return the exit status: 0, or 1 if the picture was refused.

    Raises `GatewayError` for a place that cannot be written to, before any work.
    """
    _check_place(request)
    try:
        _, load = loader(request.source)
        enhanced = await _enhanced(request, await load(), settings)
    except GatewayError as error:
        print(f"image-gateway: {request.source}: {error.message}", file=sys.stderr)
        return 1
    await asyncio.to_thread(request.out.write_bytes, enhanced.reply.image)
    before, after = enhanced.facts, enhanced.reply.facts
    print(
        f"{request.out}: {after.width}x{after.height} {after.format.upper()}, {after.size_bytes} bytes "
        f"(from {before.width}x{before.height} {before.format.upper()}, {enhanced.reply.work_time:.2f} s)"
    )
    for action in enhanced.actions:
        print(f"  {action}")
    if request.out.suffix.lower() not in _SUFFIXES[after.format]:
        print(f"image-gateway: {request.out} is a {after.format.upper()} file, whatever its name says", file=sys.stderr)
    return 0


def _check_place(request: EnhanceRequest) -> None:
    out = request.out
    if out.is_dir() or not out.parent.is_dir():
        raise GatewayError(Reason.INVALID_ARGUMENT, f"{out} cannot be written: it must name a file in a folder that exists")
    if out.exists() and not request.overwrite:
        raise GatewayError(Reason.INVALID_ARGUMENT, f"{out} exists; --overwrite replaces it")


async def _enhanced(request: EnhanceRequest, source: ImageContent | ImageUri, settings: GatewaySettings) -> EnhancedImage:
    if request.target is not None:
        async with opened_connection(request.target, settings.client) as connection, EnhancementClient(connection) as client:
            return await client.enhance(source, request.parameters)
    # The person who names a URL here may reach it anyway: no need to keep them out of their own network.
    download = settings.download.model_copy(update={"allow_private": True})
    async with opened_use_cases(settings.model_copy(update={"provider": "local", "download": download})) as use_cases:
        return await use_cases.enhance_image(source, request.parameters)
