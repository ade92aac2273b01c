"""The composition root: the one place where the parts meet; start, announce, drain, stop."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge

from gateway import __version__, _native
from gateway.breadth.pool import BreadthPool
from gateway.cache.settings import CacheSettings
from gateway.config import ConfigError, GatewaySettings
from gateway.config.reload import Reload, reloadable
from gateway.effective import shown_settings
from gateway.ops.log_level import LogLevel
from gateway.ops.own_pages import own_pages
from gateway.ops.server import process_registry, running_ops, running_ops_at
from gateway.prepare import PrepareOptions, Preparer
from gateway.prepare.metrics import PrepareMetrics
from gateway.prepare.options import UNTOUCHED
from gateway.providers import opened_chain
from gateway.reloaded import Reloaded
from gateway.rest.app import build_app
from gateway.rest.listening import listening
from gateway.rest.settings import RestConfigError
from gateway.rest.tls import load_rest_pair
from gateway.rpc.call_log import CallLog
from gateway.rpc.server import RpcServer
from gateway.rpc.telemetry import RpcTelemetry
from gateway.settings import join_address, split_address
from gateway.telemetry.exporting import opened_tracing
from gateway.telemetry.loop_lag import measured_loop
from gateway.telemetry.tracing import Tracing
from gateway.tenancy import opened_tenancy
from gateway.tls.pair import Pair
from gateway.tls.swapped import swapped_context
from gateway.upstream.document import fetch_document
from gateway.upstream.download import Downloader
from gateway.upstream.spending import Spending
from gateway.usecases.catalogue import UseCases
from gateway.usecases.chain import Chain
from gateway.usecases.checking import kept_checked
from gateway.usecases.enhancement import EnhanceImage
from gateway.usecases.intake import Intake
from gateway.usecases.music import RecognizeMusic
from gateway.usecases.preprocessing import Preprocess
from gateway.usecases.standing import Standing
from gateway.usecases.tagging import TagImage

_OLD_GENERATION = 200
"""Collections of the middle generation after which the old one is looked through; Python's default is 10."""

_log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def opened_preparer(settings: GatewaySettings, registry: CollectorRegistry | None = None) -> AsyncIterator[Preparer]:
    """Preparation, with whatever decodes the rarer formats. `registry`: where metrics go.

    Also bounds the memory of all decodes in this process, the engines' included: there is one such bound for each process, so
    setting it falls to whoever puts the process together.
    """
    _native.set_memory_limit(settings.prepare.memory)
    metrics = PrepareMetrics(registry or CollectorRegistry())
    async with BreadthPool(settings.breadth) as breadth:
        with Preparer(settings.prepare, breadth, foreign_at_once=settings.breadth.workers, metrics=metrics) as preparer:
            yield preparer


@contextlib.asynccontextmanager
async def opened_use_cases(
    settings: GatewaySettings,
    options: PrepareOptions | None = None,
    registry: CollectorRegistry | None = None,
    spending: Spending | None = None,
    reload: Reload | None = None,
) -> AsyncIterator[UseCases]:
    """All use cases, ready for calls.

    `options`: the repairs that pictures get, instead of those of the settings. `registry`: where metrics go.
    `spending`: what calls to the cloud may cost, if that is bounded. `reload`: who tells of settings that change meanwhile.
    """
    async with (
        opened_chain(settings, registry or CollectorRegistry(), spending, reload) as chain,
        contextlib.aclosing(Downloader(settings.download, registry)) as downloader,
        opened_preparer(settings, registry) as preparer,
    ):
        if reload is not None:
            reload.register(reloadable("download"), lambda new: downloader.adopt(new.download))
        intake = Intake(downloader, preparer, options or settings.prepare.options())
        yield UseCases(
            TagImage(chain, intake),
            EnhanceImage(chain, intake),
            RecognizeMusic(chain, downloader),
            Preprocess(downloader, preparer, allow_other_formats=settings.prepare.allow_other_formats),
            chain,
        )


@contextlib.asynccontextmanager
async def opened_preprocess(settings: GatewaySettings) -> AsyncIterator[Preprocess]:
    """Preparation for its own sake: no provider is opened."""
    async with (
        contextlib.aclosing(Downloader(settings.download)) as downloader,
        opened_preparer(settings) as preparer,
    ):
        yield Preprocess(downloader, preparer, allow_other_formats=settings.prepare.allow_other_formats)


@contextlib.asynccontextmanager
async def running_gateway(
    settings: GatewaySettings,
    *,
    share_port: bool = False,
    worker: int = 0,
    pages_at: Path | None = None,
    shown: GatewaySettings | None = None,
    reload: Reload | None = None,
) -> AsyncIterator[str]:
    """A gRPC server that accepts calls; gives its address. Drains at the end. Raises `ConfigError`, `OSError`.

    `share_port`: whether other processes may listen on the same port, too; `worker`: which one of `rpc.workers` this is, from 0.
    `pages_at`: a socket of the file system on which the operators' pages are, instead of the port that the settings name.
    `shown`: the settings that they show, unless it is these: those of all workers together.
    `reload`: who tells of settings that change meanwhile.
    """
    async with (
        built_gateway(settings, share_port=share_port, worker=worker, reload=reload) as (server, registry),
        contextlib.AsyncExitStack() as pages_end,
    ):
        log_level = LogLevel()
        pages_end.callback(log_level.aclose)
        if reload is not None:
            reload.register(["log_level"], lambda new: log_level.adopt(new.log_level))
        pages = own_pages(
            registry, server.standing, lambda: shown_settings(reload.current if reload else shown or settings), log_level
        )
        # Before the first check of the providers: liveness and metrics are there meanwhile.
        await pages_end.enter_async_context(
            running_ops(settings.ops, pages) if pages_at is None else running_ops_at(pages_at, pages)
        )
        address = await server.start(settings.listen)
        try:
            yield address
        finally:
            await server.drain()


@contextlib.asynccontextmanager
async def built_gateway(
    settings: GatewaySettings, *, share_port: bool = False, worker: int = 0, reload: Reload | None = None
) -> AsyncIterator[tuple[RpcServer, CollectorRegistry]]:
    """A gRPC server that is yet to be started, and the registry of all that is counted. Raises `ConfigError`."""
    registry = process_registry(__version__)
    _show_memory(registry)
    async with (
        _opened_tracing(settings) as tracing,
        measured_loop(registry),
        opened_tenancy(settings, registry, fetch_document, worker=worker) as tenancy,
        opened_use_cases(settings, registry=registry, spending=tenancy.spending, reload=reload) as use_cases,
    ):
        telemetry = RpcTelemetry(registry, CallLog(settings.log_calls, settings.log_calls_share), tracing)
        server = RpcServer(
            settings.rpc, use_cases, tenancy.gate, telemetry, share_port=share_port, credentials=tenancy.credentials
        )
        if reload is not None:
            reload.register_files(tenancy.reload)
            reload.register(reloadable("rpc"), lambda new: server.adopt(new.rpc))
        yield server, registry


@contextlib.asynccontextmanager
async def _opened_tracing(settings: GatewaySettings) -> AsyncIterator[Tracing | None]:
    async with contextlib.AsyncExitStack() as opened:
        try:
            tracing = await opened.enter_async_context(opened_tracing(settings.trace, __version__))
        except ValueError as error:
            raise ConfigError([f"settings of trace: {error}"]) from error
        yield tracing


def _show_memory(registry: CollectorRegistry) -> None:
    """The bound on what is decoded at once. It is the process's, like the registry."""
    prefix = "image_gateway_decode_memory"
    limit = Gauge(f"{prefix}_limit_bytes", "Bytes that all decodes under way may take together.", registry=registry)
    limit.set_function(lambda: _native.memory()[0])
    used = Gauge(f"{prefix}_used_bytes", "Bytes that decodes under way take.", registry=registry)
    used.set_function(lambda: _native.memory()[1])


@contextlib.asynccontextmanager
async def running_rest_face(settings: GatewaySettings, reload: Reload | None = None) -> AsyncIterator[str]:
    """A REST face that accepts calls; gives its address. It computes here, whatever the gateway's provider. Raises `ConfigError`,
    `OSError`.

    `reload`: who tells of settings that change meanwhile.
    """
    if not settings.rest.lets_someone_in and settings.rest.accounts_file is None:
        _log.warning("nobody can sign in to the REST face: none of rest.password, rest.access_key and rest.accounts_file is set")
    # What is not HTTP at all is anyone's to send; aiohttp would log a traceback of its parser for each of it.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    registry = process_registry(__version__)
    _show_memory(registry)
    # The contract knows no repairs: what the cloud would refuse is refused.
    async with (
        measured_loop(registry),
        opened_use_cases(_computed_here(settings), UNTOUCHED, registry, reload=reload) as use_cases,
        _rest_pages(settings, registry, use_cases.chain, reload) as standing,
    ):
        try:
            app = build_app(settings.rest, use_cases, faults=settings.faults, record=settings.record)
            pair = _watched_pair(settings)
        except RestConfigError as error:
            raise ConfigError(error.problems) from None
        host, port = split_address(settings.rest.listen)
        tls = swapped_context(lambda: pair.current) if pair is not None else None
        async with (
            contextlib.AsyncExitStack() as watching,
            listening(app, host, port, tls, header_timeout=settings.rest.header_timeout) as bound,
        ):
            if pair is not None:
                pair.start()
                watching.push_async_callback(pair.aclose)
                if reload is not None:
                    reload.register_files(pair.reload)
            try:
                yield join_address(host, bound)
            finally:
                standing.is_draining = True


@contextlib.asynccontextmanager
async def _rest_pages(
    settings: GatewaySettings, registry: CollectorRegistry, chain: Chain, reload: Reload | None
) -> AsyncIterator[Standing]:
    """The operators' port of the REST face, if it has one; gives what its readiness goes by. Raises `OSError`."""
    standing = Standing(chain, registry, timeout=settings.rpc.health_interval)
    async with contextlib.AsyncExitStack() as opened:
        log_level = LogLevel()
        opened.callback(log_level.aclose)
        if reload is not None:
            reload.register(["log_level"], lambda new: log_level.adopt(new.log_level))
        ops = settings.ops.of_rest_face()
        if ops.listen is not None:
            pages = own_pages(
                registry, standing, lambda: shown_settings(_computed_here(reload.current if reload else settings)), log_level
            )
            await opened.enter_async_context(running_ops(ops, pages, "ops.rest_listen"))
            await opened.enter_async_context(kept_checked(standing, settings.rpc.health_interval))
        yield standing


def _computed_here(settings: GatewaySettings) -> GatewaySettings:
    """What of `settings` the REST face goes by."""
    return settings.model_copy(update={"provider": "local", "cache": CacheSettings(enabled=False)})


async def serve(
    running: contextlib.AbstractAsyncContextManager[str],
    announce: Callable[[str], None],
    stopping: Callable[[asyncio.Event], contextlib.AbstractContextManager[object]] = contextlib.nullcontext,
    reload: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, then drain; a second signal ends the process at once.

    `stopping` is entered with an event that whatever else is to end the server may set. `reload` is called on SIGHUP, once the
    server runs; without it, that signal is as it was before.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    # Before the start, so that a stop that comes early is not lost.
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    hung_up = asyncio.Event()
    if reload is not None:  # likewise before the start: by default the signal kills
        loop.add_signal_handler(signal.SIGHUP, hung_up.set)
    with stopping(stop):
        async with running as address:
            _look_through_less_for_garbage()
            announce(address)
            reloading = asyncio.create_task(_reload_on_demand(hung_up, reload))
            await stop.wait()
            reloading.cancel()


def _look_through_less_for_garbage() -> None:
    """What is loaded by now stays, and thousands of items at work are no garbage, but looking through either holds the loop, for
    a quarter of a second with 3200 items. Almost all garbage is found by the younger generations."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], _OLD_GENERATION)


async def _reload_on_demand(hung_up: asyncio.Event, reload: Callable[[], Awaitable[None]] | None) -> None:
    while reload is not None:
        await hung_up.wait()
        hung_up.clear()
        try:
            await reload()
        except Exception:  # noqa: BLE001  # logged whole; else no later signal would be obeyed
            _log.exception("the settings could not be read anew")


def _watched_pair(settings: GatewaySettings) -> Reloaded[Pair] | None:
    """The certificate of the REST face, if it has one. Raises `RestConfigError`."""
    certificate, key = settings.rest.tls_certificate, settings.rest.tls_key
    if certificate is None or key is None:
        return None
    load = partial(load_rest_pair, certificate, key)
    return Reloaded("rest.tls_certificate", [certificate, key], load, interval=settings.access.reload_interval)
