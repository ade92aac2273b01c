"""`image-gateway call`: any operation of the cloud, with the credentials and policies that are configured.

For operators: do my credentials work, and what does the cloud answer?
"""

import asyncio
import dataclasses
import enum
import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gateway.call import CacheUse, Call
from gateway.cli.parameters import parsed_parameters
from gateway.cli.render import error_json, print_json
from gateway.cli.sources import is_uri, loader
from gateway.errors import GatewayError, Reason
from gateway.media import (
    ImageContent,
    ImageUri,
)
from gateway.upstream import operations
from gateway.upstream.client import Answer
from gateway.upstream.operations import Operation
from gateway.upstream.results import Picture


@dataclass(frozen=True, slots=True)
class CallRequest:
    """What the command line asks for. `parameters`: `NAME=VALUE` each; `out`: where a picture that is made goes; `timeout`:
    seconds for the whole call, or None."""

    operation: str
    source: str
    parameters: tuple[str, ...] = ()
    out: Path | None = None
    as_json: bool = False
    timeout: float | None = None


class Caller(Protocol):
    """What makes the calls: the client of the cloud."""

    async def call(self, operation: Operation[Any, Any], source: bytes | ImageUri, parameters: object, call: Call) -> Answer[Any]:
        """Make one call. Raises `GatewayError`."""


async def run_call(request: CallRequest, client: Caller) -> int:
    """Make the call, print what came of it, and return the exit status: 0, or 1 if it failed.

    Raises `GatewayError` for what is wrong with the command, before anything is spent.
    """
    operation = _operation(request)
    parameters = parsed_parameters(operation.parameters, operation.fields(operation.parameters()), request.parameters)
    if request.timeout is not None and not 0 < request.timeout < math.inf:
        raise _wrong(f"--timeout is {request.timeout:g}; it must be a number of seconds above 0")
    if not request.source:
        raise _wrong("the source is empty; name a file or a URL")
    if request.out is not None and (request.out.exists() or not request.out.parent.is_dir()):
        raise _wrong(f"{request.out} cannot be written: it must name a new file in a folder that exists")
    deadline = math.inf if request.timeout is None else time.monotonic() + request.timeout
    try:
        answer = await client.call(operation, await _source(request), parameters, Call(deadline=deadline, cache=CacheUse.BYPASS))
    except GatewayError as error:
        _print_error(error, request)
        return 1
    document = {
        "operation": request.operation,
        "result": _plain(answer.result),
        "attempts": answer.attempts,
        "request_ids": list(answer.request_ids),
        "queue_time": round(answer.queue_time, 6),
        "work_time": round(answer.work_time, 6),
    }
    if request.out is not None and isinstance(answer.result, Picture):
        await asyncio.to_thread(_write_new, request.out, answer.result.data)
        document["written"] = str(request.out)
    _print(document, request)
    return 0


def _operation(request: CallRequest) -> Operation[Any, Any]:
    known = {operation.name: operation for operation in operations.OPERATIONS}
    operation = known.get(request.operation)
    if operation is None:
        raise _wrong(f"there is no operation {request.operation!r}; there are: {', '.join(known)}")
    if is_uri(request.source) and not operation.takes_url:
        raise _wrong(f"{request.operation} takes a file, not a URL")
    if not is_uri(request.source) and not operation.takes_content:
        raise _wrong(f"{request.operation} takes a URL, not a file")
    return operation


async def _source(request: CallRequest) -> bytes | ImageUri:
    """The file as it is, unprepared."""
    _, load = loader(request.source)
    source = await load()
    return source.data if isinstance(source, ImageContent) else source


def _wrong(message: str) -> GatewayError:
    return GatewayError(Reason.INVALID_ARGUMENT, message)


def _write_new(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)


def _plain(value: object) -> Any:  # noqa: ANN401  # what JSON can hold
    """Values as JSON can hold them; of a picture what is known of it, without its bytes."""
    if isinstance(value, Picture):
        return _plain(value.facts)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, enum.Enum) else value


def _print(document: dict[str, Any], request: CallRequest) -> None:
    if request.as_json:
        print_json(document)
    else:
        print(json.dumps(document, indent=2))


def _print_error(error: GatewayError, request: CallRequest) -> None:
    """On standard error, or, where JSON is asked for, on standard output. A URL is not repeated: it may be signed."""
    if request.as_json:
        print_json({"operation": request.operation, "error": error_json(error)})
        return
    place = "the URL" if is_uri(request.source) else request.source
    print(f"image-gateway: {request.operation}: {place}: {error.message}", file=sys.stderr)
    if error.upstream is not None:
        facts = {name: value for name, value in dataclasses.asdict(error.upstream).items() if value}
        print("  " + ", ".join(f"{name}={value}" for name, value in facts.items()), file=sys.stderr)
