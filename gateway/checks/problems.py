"""What a start would stumble over."""

import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from gateway.access.tenants_file import TenantsFileError, load_roster
from gateway.access.token_factory import read_keys
from gateway.checks.ports import port_of_both
from gateway.config import ConfigError, GatewaySettings
from gateway.engines.provider import opened_index
from gateway.rest.accounts_file import load_accounts
from gateway.rest.seal import open_seal
from gateway.rest.settings import RestConfigError, RestSettings
from gateway.rest.tls import load_rest_pair
from gateway.rpc.tls import load_served, tls_files
from gateway.tenancy import check_exposure
from gateway.tls.pair import CertificateError
from gateway.workers.shares import check_divisible

Find = Callable[[GatewaySettings, Mapping[str, str]], Iterable[str]]


def _cloud(settings: GatewaySettings, environment: Mapping[str, str]) -> Iterator[str]:
    if "cloud" not in settings.provider.split(","):
        return
    try:
        settings.cloud.check_complete(environment)
    except ValueError as error:
        yield f"settings of cloud: {error}"
    folder = settings.cloud.token_store
    if folder is not None and folder.exists() and not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        yield f"setting cloud.token_store: {folder} is not a folder that can be written to"


def _redis(settings: GatewaySettings, _: Mapping[str, str]) -> Iterator[str]:
    if not settings.needs_redis:
        return
    if importlib.util.find_spec("redis") is None:
        yield "settings of redis: the package redis is not installed; it comes with the extra `redis`"
    try:
        settings.redis.check_complete()
    except ValueError as error:
        yield f"settings of redis: {error}"


def _workers(settings: GatewaySettings, _: Mapping[str, str]) -> Iterator[str]:
    if settings.rpc.workers > 1:
        try:
            check_divisible(settings)
        except ConfigError as error:
            yield from error.problems


def _ports(settings: GatewaySettings, _: Mapping[str, str]) -> Iterator[str]:
    for name, address, ops_name, ops_address in (
        ("listen", settings.listen, "ops.listen", settings.ops.listen),
        ("rest.listen", settings.rest.listen, "ops.rest_listen", settings.ops.rest_listen),
    ):
        port = port_of_both(address, ops_address)
        if port:
            yield f"{name} and {ops_name} are both at port {port}; each needs one of its own"


def _files(settings: GatewaySettings, _: Mapping[str, str]) -> Iterator[str]:
    if settings.local.music_index is not None:
        try:
            opened_index(settings.local.music_index)
        except ValueError as error:
            yield f"settings of local: {error}"
    python = settings.breadth.python
    if python is not None and not _is_program(python):
        yield f"setting breadth.python: {python} is not a program that can be run"
    folder = settings.record.folder
    if settings.record.mode in {"replay", "replay-or-record"} and folder is not None and not folder.is_dir():
        yield f"setting record.folder: {folder} is not a folder"


def _access(settings: GatewaySettings, _: Mapping[str, str]) -> Iterator[str]:
    access = settings.access
    try:
        check_exposure(settings)
    except ConfigError as error:
        yield from error.problems
    if access.tenants_file is not None:
        alone = settings.rpc.workers == 1 or access.budget_store == "redis"
        try:
            load_roster(access.tenants_file, counts_alone=alone)
        except TenantsFileError as error:
            yield from (f"settings of access: {problem}" for problem in error.problems)
    if access.jwt_keys is not None and not access.keys_are_remote:
        try:
            read_keys(Path(access.jwt_keys), access.algorithms)
        except ValueError as error:
            yield f"settings of access: jwt_keys {error}"


def _certificate(settings: GatewaySettings, _: Mapping[str, str]) -> Iterator[str]:
    if tls_files(settings.rpc):
        try:
            load_served(settings.rpc)
        except CertificateError as error:
            yield f"settings of rpc: {error}"


def _rest_pair(settings: RestSettings) -> None:
    if settings.tls_certificate is not None and settings.tls_key is not None:
        load_rest_pair(settings.tls_certificate, settings.tls_key)


def _rest(settings: GatewaySettings, _: Mapping[str, str]) -> Iterator[str]:
    for build in (load_accounts, open_seal, _rest_pair):
        try:
            build(settings.rest)
        except RestConfigError as error:
            yield from (f"settings of rest: {problem}" for problem in error.problems)


def _is_program(file: Path) -> bool:
    return file.is_file() and os.access(file, os.X_OK)


PROBLEMS: Final[tuple[Find, ...]] = (_access, _certificate, _cloud, _redis, _workers, _ports, _files, _rest)
