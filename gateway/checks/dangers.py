"""What is allowed and works, but may harm, cost or do nothing."""

import ipaddress
import itertools
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.checks.ports import port_of_both
from gateway.config import GatewaySettings, Loaded, declared_settings
from gateway.settings import split_address

Find = Callable[[Loaded], Iterable[str]]

_SECRET_FILES: Final = (
    "cloud.keys_file",
    "ops.token_file",
    "trace.headers_file",
    "rest.accounts_file",
    "rest.token_key_file",
    "rest.tls_key",
    "rpc.tls_key",
    "client.tls_key",
    "client.token_file",
)
"""Files with secrets that are no setting's twin."""


def _secrets(loaded: Loaded) -> Iterator[str]:
    twins = [f"{setting.path}_file" for setting in declared_settings() if setting.is_secret]
    for path in (*twins, *_SECRET_FILES):
        file = _value(loaded.settings, path)
        if isinstance(file, Path) and _others_read(file):
            yield _readable(path, file)
    access = loaded.settings.access
    # Of other algorithms it holds public keys.
    if access.jwt_keys is not None and not access.keys_are_remote and any(name.startswith("HS") for name in access.algorithms):
        keys = Path(access.jwt_keys)
        if _others_read(keys):
            yield _readable("access.jwt_keys", keys)
    for path in (setting.path for setting in declared_settings() if setting.is_secret and setting.path in loaded.origins):
        origin = loaded.origins[path]
        if origin == "the command line":
            yield f"{path} was given on the command line, where every user of this machine can see it; use {path}_file"
        elif loaded.file is not None and origin == str(loaded.file) and _others_read(loaded.file):
            yield f"{path} stands in {loaded.file}, which can be read by every user of this machine"


def _ways_in(loaded: Loaded) -> Iterator[str]:
    settings = loaded.settings
    if _others_reach(settings.listen):
        if settings.access.allow_anonymous:
            yield f"listen is {settings.listen} with access.allow_anonymous: whoever reaches that address may call"
        if settings.rpc.tls_certificate is None:
            yield f"listen is {settings.listen} without TLS: keys, tokens and pictures can be read on the way"
    for name, address in (("listen", settings.ops.listen), ("rest_listen", settings.ops.rest_listen)):
        if address is not None and _others_reach(address):
            seen = "sees and changes how it works" if settings.ops.allow_all else "sees how the gateway is doing"
            yield f"ops.{name} is {address}: whoever reaches that address {seen}"
    if _others_reach(settings.rest.listen) and settings.rest.tls_certificate is None:
        yield f"rest.listen is {settings.rest.listen} without TLS: passwords, tokens and pictures can be read on the way"


def _ports(loaded: Loaded) -> Iterator[str]:
    """Those of two processes, which may well have the same on machines of their own."""
    settings = loaded.settings
    serve = (("listen", settings.listen), ("ops.listen", settings.ops.listen))
    rest = (("rest.listen", settings.rest.listen), ("ops.rest_listen", settings.ops.rest_listen))
    for (name, address), (rest_name, rest_address) in itertools.product(serve, rest):
        port = port_of_both(address, rest_address)
        if port:
            yield f"{name} and {rest_name} are both at port {port}: `serve` and `rest` cannot both run on one machine"


def _ways_out(loaded: Loaded) -> Iterator[str]:
    settings = loaded.settings
    if settings.download.allow_private:
        yield "download.allow_private: callers can have any address of the own network fetched; download.allow names single ones"
    if "cloud" not in settings.provider.split(","):
        return
    for name, url in (("endpoint", settings.cloud.endpoint), ("iam_endpoint", settings.cloud.iam_endpoint)):
        parts = urlsplit(url or "")
        if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
            yield f"cloud.{name} is {url}: credentials and pictures can be read on the way"
    if not settings.prepare.strip_metadata:
        yield "prepare.strip_metadata is off: the cloud is told where and with what pictures were taken"


def _bills(loaded: Loaded) -> Iterator[str]:
    settings = loaded.settings
    if settings.retry.lost_replies:
        yield "retry.lost_replies: a call whose reply was lost may be billed twice"
    if settings.hedge.after is not None:
        yield "hedge.after: a slow call is made twice, and may be billed twice"


def _for_tests_only(loaded: Loaded) -> Iterator[str]:
    settings = loaded.settings
    if settings.faults.active:
        yield "faults are on: the REST face fails on purpose"
    if settings.record.mode != "off":
        yield f"record.mode is {settings.record.mode}: pictures of callers, or answers to them, lie in {settings.record.folder}"


def _in_vain(loaded: Loaded) -> Iterator[str]:
    settings = loaded.settings
    if settings.limit.burst is not None and settings.limit.rate is None:
        yield "limit.burst has no effect without limit.rate"
    if settings.retry.base_delay > settings.retry.max_delay:
        yield "retry.base_delay is over retry.max_delay, which then is every pause's bound"
    if settings.breaker.pause > settings.breaker.max_pause:
        yield "breaker.pause is over breaker.max_pause, which then is every pause"
    if settings.hedge.after is not None and settings.hedge.after >= settings.cloud.timeout:
        yield "hedge.after is not under cloud.timeout, so that no second attempt is ever made"
    if settings.cloud.connect_timeout > settings.cloud.timeout:
        yield "cloud.connect_timeout is over cloud.timeout, which ends the attempt before"
    if (settings.redis.url is not None or settings.redis.url_file is not None) and not settings.needs_redis:
        yield "redis.url is set, but nothing is kept there: cache.store, access.budget_store and redis.share_token want none"
    if not settings.prepare.allow_other_formats and settings.breadth.python is not None:
        yield "breadth.python has no effect without prepare.allow_other_formats, but for calls that ask for it"


def _value(settings: GatewaySettings, path: str) -> object:
    room, _, name = path.rpartition(".")
    return getattr(getattr(settings, room), name, None)


def _readable(path: str, file: Path) -> str:
    return f"{path}: {file} can be read by every user of this machine; chmod o-r it"


def _others_read(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:  # found by those who look for problems
        return False


def _others_reach(address: str) -> bool:
    return not _is_loopback(split_address(address)[0])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


DANGERS: Final[tuple[Find, ...]] = (_secrets, _ways_in, _ports, _ways_out, _bills, _for_tests_only, _in_vain)
