"""`image-gateway`: parse, compose the settings, delegate."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Sequence

from rich.console import Console

from gateway import server
from gateway.cli.annotate import AnnotationUnavailableError
from gateway.cli.demo import DemoRequest, run_demo, shipped_photos
from gateway.cli.health import run_health
from gateway.cli.parser import build_parser
from gateway.cli.tag import TagRequest, run_tag
from gateway.config import ConfigError, GatewaySettings, load_settings
from gateway.errors import GatewayError
from gateway.media import Language, TaggingParameters

_USAGE_ERROR = 2

# Flag → setting, per command.
_FLAGS = {
    "serve": {
        "listen": "listen",
        "provider": "provider",
        "endpoint": "cloud.endpoint",
        "iam_endpoint": "cloud.iam_endpoint",
        "region": "cloud.region",
    },
    "rest": {name: f"rest.{name}" for name in ("listen", "user", "password", "domain", "project", "access_key", "secret_key")},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit status."""
    options = build_parser().parse_args(arguments)
    try:
        flags = {path: getattr(options, flag) for flag, path in _FLAGS.get(options.command, {}).items()}
        settings = load_settings(flags, os.environ, options.config)
        logging.basicConfig(
            stream=sys.stderr,
            level=settings.log_level.upper(),
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
        return asyncio.run(_command(options, settings)) or 0
    except (ConfigError, GatewayError, AnnotationUnavailableError, OSError) as error:
        for line in str(error).splitlines():
            print(f"image-gateway: {line}", file=sys.stderr)
        return _USAGE_ERROR
    except KeyboardInterrupt:
        return 130


def _command(options: argparse.Namespace, settings: GatewaySettings) -> Coroutine[None, None, int | None]:
    match options.command:
        case "serve":
            return server.serve(server.running_gateway(settings), lambda address: _announce(f"ready grpc={address}"))
        case "rest":
            return server.serve(server.running_rest_face(settings), lambda address: _announce(f"ready http={address}"))
        case "health":
            return run_health(options.target, timeout=options.timeout)
        case "tag":
            request = TagRequest(tuple(options.sources), _parameters(options), options.target, options.json, options.annotate)
            return run_tag(request, settings)
        case _:
            return _demo(options, settings)


def _demo(options: argparse.Namespace, settings: GatewaySettings) -> Coroutine[None, None, int]:
    files = tuple(options.files) or shipped_photos()
    if not files:
        msg = "demo: examples/photos is not here; name some pictures: image-gateway demo FILES…"
        raise ConfigError([msg])
    return run_demo(DemoRequest(files, _parameters(options), options.out), settings, Console())


def _parameters(options: argparse.Namespace) -> TaggingParameters:
    return TaggingParameters(language=Language(options.language), threshold=options.threshold, limit=options.limit)


def _announce(line: str) -> None:
    print(line, flush=True)
