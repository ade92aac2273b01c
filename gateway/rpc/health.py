"""Health by real checks: the provider is tried, and the answer is what `grpc.health.v1` reports."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from gateway.errors import GatewayError

_log = logging.getLogger(__name__)

PROVIDER_PREFIX: Final = "provider/"

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING


class HealthMonitor:
    """Tries the provider at intervals and publishes the outcome for the services that need it and for the server as a whole."""

    def __init__(
        self,
        check: Callable[[], Awaitable[None]],
        services: tuple[str, ...],
        *,
        interval: float,
        independent: tuple[str, ...] = (),
        providers: Callable[[], Mapping[str, bool]] = dict,
    ) -> None:
        """`check` raises `GatewayError` if the provider cannot serve; a check that outlasts `interval` seconds counts as that.

        `independent` are services that need no provider: they serve until the shutdown. `providers` tells which of them the last
        check found able to serve; each is published as `provider/NAME`.
        """
        self._check = check
        self._services = ("", *services)
        self._independent = independent
        self._providers = providers
        self.interval = interval
        self._servicer = health.aio.HealthServicer()
        self._task: asyncio.Task[None] | None = None
        self._serving: bool | None = None

    def add_to(self, server: aio.Server) -> None:
        """Register `grpc.health.v1.Health`."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Check once, then go on in the background."""
        for service in self._independent:
            await self._servicer.set(service, _SERVING)
        await self.check_now()
        self._task = asyncio.create_task(self._run(), name="health monitor")

    async def enter_shutdown(self) -> None:
        """From now on NOT_SERVING, whatever the checks say."""
        await self._servicer.enter_graceful_shutdown()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def check_now(self) -> None:
        """Check, and publish the outcome."""
        serving = await self._try()
        if serving != self._serving:
            _log.info("health: %s", "SERVING" if serving else "NOT_SERVING")
        self._serving = serving
        for service in self._services:
            await self._servicer.set(service, _SERVING if serving else _NOT_SERVING)
        for name, up in self._providers().items():
            await self._servicer.set(f"{PROVIDER_PREFIX}{name}", _SERVING if up else _NOT_SERVING)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.interval)
            await self.check_now()

    async def _try(self) -> bool:
        try:
            async with asyncio.timeout(self.interval):
                await self._check()
        except GatewayError as error:
            _log.warning("the provider cannot serve: %s", error)
            return False
        except TimeoutError:
            _log.warning("the provider did not answer its check within %g s", self.interval)
            return False
        except Exception:  # noqa: BLE001  # logged whole; a monitor that dies would leave the last status standing for ever
            _log.exception("the health check itself failed")
            return False
        return True
