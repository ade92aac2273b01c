"""`image-gateway`: parse, compose the settings, delegate."""

import argparse
import asyncio
import io
import os
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Final

from gateway.cli.allocator import keep_large_buffers
from gateway.cli.event_loop import EventLoop
from gateway.cli.notify import notify_ready
from gateway.cli.parser import build_parser
from gateway.config import ConfigError, GatewaySettings, load_settings
from gateway.config.reload import Reload
from gateway.errors import GatewayError
from gateway.media import (
    DarkEnhanceParameters,
    DefogParameters,
    EnhancementParameters,
    Language,
    TaggingParameters,
    UpscaleModel,
    UpscaleParameters,
)
from gateway.prepare import Convert, Operation
from gateway.telemetry.logs import configure_logging

# The commands' own modules are imported by the command that is run: `health`, which containers call every few seconds,
# needs neither the engine nor the servers.
# ruff: noqa: PLC0415

_USAGE_ERROR = 2
_INTERRUPTED = 130
_BROKEN_PIPE = 141

_CONNECTION = {
    "tls": "client.tls",
    "ca": "client.ca_file",
    "cert": "client.tls_certificate",
    "key": "client.tls_key",
    "server_name": "client.tls_server_name",
    "api_key_file": "client.api_key_file",
    "token_file": "client.token_file",
}

# Flag → setting, per command.
_SERVE_FLAGS: Final = {
    "listen": "listen",
    "provider": "provider",
    "endpoint": "cloud.endpoint",
    "iam_endpoint": "cloud.iam_endpoint",
    "region": "cloud.region",
    "workers": "rpc.workers",
}
_FLAGS: Final = {
    "serve": _SERVE_FLAGS,
    "config": _SERVE_FLAGS,
    **dict.fromkeys(("tag", "enhance", "music", "prepare", "health"), _CONNECTION),
    "rest": {name: f"rest.{name}" for name in ("listen", "user", "password", "domain", "project", "access_key", "secret_key")},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = build_parser().parse_args(given, argparse.Namespace(given=given))
    # Of what fails, gRPC's core prints an account of its own beside ours. Read when gRPC is imported, which is later.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    # File names need not be Unicode; what cannot be printed is shown escaped.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        if options.command == "config":
            return _config(options)
        settings = load_settings(_flags(options), os.environ, options.config)
        configure_logging(sys.stderr, _log_level(options.command, settings), settings.log_format)
        keep_large_buffers()
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            return runner.run(_COMMANDS[options.command](options, settings)) or 0
    except BrokenPipeError:  # whoever read our output has had enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except (ConfigError, GatewayError, OSError) as error:
        for line in str(error).splitlines():
            print(f"image-gateway: {line}", file=sys.stderr)
        return _USAGE_ERROR
    except KeyboardInterrupt:
        return _INTERRUPTED


_Run = Coroutine[None, None, int | None]


def _flags(options: argparse.Namespace) -> dict[str, str | None]:
    return {path: getattr(options, flag, None) for flag, path in _FLAGS.get(options.command, {}).items()}


def _config(options: argparse.Namespace) -> int:
    from gateway.cli import config

    if options.action == "schema":
        return config.run_schema()
    given = config.Given(_flags(options), os.environ, options.file or options.config)
    if options.action == "check":
        return config.run_check(given)
    return config.run_show(given, everything=options.all, as_json=options.json)


def _reload(options: argparse.Namespace, settings: GatewaySettings) -> Reload:
    """What was read at the start is read again: the same file, flags and environment."""
    return Reload(lambda: load_settings(_flags(options), os.environ, options.config), settings)


def _serve(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    if options.as_worker is not None:
        from gateway.workers.worker import run_worker

        return run_worker(settings, options.as_worker)
    workers = settings.rpc.workers
    if workers > 1:
        from gateway.workers.serving import supervise

        return supervise(settings, options.given, lambda address: _announce(f"ready grpc={address} workers={workers}"))
    from gateway import server

    reload = _reload(options, settings)
    running = server.running_gateway(settings, reload=reload)
    return server.serve(running, lambda address: _announce(f"ready grpc={address}"), reload=reload.now)


def _rest(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway import server

    scheme = "http" if settings.rest.tls_certificate is None else "https"
    reload = _reload(options, settings)
    running = server.running_rest_face(settings, reload)
    return server.serve(running, lambda address: _announce(f"ready {scheme}={address}"), reload=reload.now)


def _health(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway.cli.connection import tls_of
    from gateway.cli.health import own_target, own_tls, run_health

    if options.target is not None:
        return run_health(options.target, tls_of(settings.client), timeout=options.timeout)
    return run_health(own_target(settings.listen), own_tls(settings), timeout=options.timeout)


def _tag(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway.cli.tag import TagRequest, run_tag

    request = TagRequest(tuple(options.sources), _parameters(options), options.target, options.json, options.annotate)
    return run_tag(request, settings)


def _enhance(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway.cli.enhance import EnhanceRequest, run_enhance

    request = EnhanceRequest(options.source, options.out, _enhancement(options), options.target, options.overwrite)
    return run_enhance(request, settings)


def _prepare(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway.cli.prepare import PrepareRequest, run_prepare

    flags = {
        "max_side": options.max_side,
        "max_bytes": options.max_bytes,
        "quality": options.quality,
        "convert": options.convert and Convert(options.convert),
        "strip_metadata": False if options.keep_metadata else None,
        "full_decode": options.full_decode or None,
        "allow_other_formats": options.other_formats or None,
    }
    wanted = replace(settings.prepare.options(), **{name: value for name, value in flags.items() if value is not None})
    request = PrepareRequest(
        sources=tuple(options.sources),
        operation=Operation(options.operation),
        options=wanted,
        target=options.target,
        as_json=options.json,
        out=options.out,
    )
    return run_prepare(request, settings)


def _enhancement(options: argparse.Namespace) -> EnhancementParameters:
    match options.kind:
        case "dark":
            return DarkEnhanceParameters(options.brightness)
        case "defog":
            return DefogParameters(options.gamma, natural_look=not options.strong)
        case _:
            return UpscaleParameters(options.scale, UpscaleModel(options.model))


def _music(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway.cli import music

    if options.action == "index":
        return music.run_music_index(music.MusicIndexRequest(options.folder, options.out), settings)
    request = music.MusicRecogniseRequest(tuple(options.sources), options.index, options.target, options.json)
    return music.run_music_recognise(request, settings)


def _call(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway.cli.call import CallRequest, run_call
    from gateway.providers import opened_cloud

    request = CallRequest(
        options.operation, options.source, tuple(options.parameters), options.out, options.json, options.timeout
    )

    async def run() -> int:
        async with opened_cloud(settings) as cloud:
            return await run_call(request, cloud.client)

    return run()


def _obs(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway.cli.obs import ObsSignRequest, run_obs_sign
    from gateway.providers import access_key

    request = ObsSignRequest(options.url, options.expires, settings.cloud.region, options.endpoint, options.own_domain)

    async def run() -> int:
        return await run_obs_sign(request, await access_key(settings), time.time())

    return run()


def _demo(options: argparse.Namespace, settings: GatewaySettings) -> _Run:
    from gateway.cli.demo import DemoRequest, run_demo, shipped_photos
    from gateway.cli.table import OutputConsole

    files = tuple(options.files) or shipped_photos()
    if not files:
        msg = "demo: examples/photos is not here; name some pictures: image-gateway demo FILES…"
        raise ConfigError([msg])
    return run_demo(
        DemoRequest(files, _parameters(options), options.out),
        settings,
        OutputConsole(),
    )


def _key(options: argparse.Namespace, _: GatewaySettings) -> _Run:
    from gateway.cli.key import run_key_new

    async def run() -> int:
        return run_key_new(options.expires, options.comment)

    return run()


def _parameters(options: argparse.Namespace) -> TaggingParameters:
    return TaggingParameters(language=Language(options.language), threshold=options.threshold, limit=options.limit)


def _log_level(command: str, settings: GatewaySettings) -> str:
    """The level asked for; if none was, commands that end by themselves report nothing less than warnings."""
    if command in {"serve", "rest"} or "log_level" in settings.model_fields_set:
        return settings.log_level.upper()
    return "WARNING"


def _announce(line: str) -> None:
    print(line, flush=True)
    notify_ready(line)


_COMMANDS: Final[dict[str, Callable[[argparse.Namespace, GatewaySettings], _Run]]] = {
    "serve": _serve,
    "rest": _rest,
    "health": _health,
    "key": _key,
    "tag": _tag,
    "enhance": _enhance,
    "music": _music,
    "prepare": _prepare,
    "call": _call,
    "obs": _obs,
    "demo": _demo,
}
