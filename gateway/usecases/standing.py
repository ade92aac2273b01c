"""Which providers can serve, as far as their last checks tell, and what follows for the whole."""

import asyncio
import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from gateway.errors import GatewayError, Reason
from gateway.provider import Provider
from gateway.usecases.chain import Chain

_log = logging.getLogger(__name__)

_SHARE: Final = 0.9
"""Of the time for a check, what each provider gets: one that hangs must not make the others look as if they did."""


class Standing:
    """Serving while the chain can serve calls, degraded while that is so although a provider cannot."""

    def __init__(self, chain: Chain, registry: CollectorRegistry, *, timeout: float) -> None:
        """`timeout`: seconds for one check of all; may be changed."""
        self._chain = chain
        self.timeout = timeout
        self._failures: dict[str, GatewayError | None] | None = None
        self.is_draining = False
        """Whether the process is on its way to its end, and takes no new calls."""
        self._up = Gauge(
            "image_gateway_provider_up", "Whether the last check of a provider succeeded.", ["provider"], registry=registry
        )
        Gauge("image_gateway_ready", "Whether calls are taken, and can be served.", registry=registry).set_function(
            lambda: self.is_ready
        )

    @property
    def failures(self) -> Mapping[str, GatewayError | None]:
        """Of the last check: None for a provider that can serve. Empty before the first."""
        return MappingProxyType(self._failures or {})

    def serving(self) -> dict[str, bool]:
        """Which providers the last check found able to serve."""
        return {name: failure is None for name, failure in self.failures.items()}

    @property
    def is_ready(self) -> bool:
        """Whether calls are taken, and can be served."""
        return self._failures is not None and not self.is_draining and self._chain.failure(self._failures) is None

    @property
    def is_degraded(self) -> bool:
        """Whether calls can be served although a provider cannot."""
        return self.is_ready and any(self.failures.values())

    async def check(self) -> None:
        """Check every provider. Raises the `GatewayError` for which calls would fail whatever the picture, if they would."""
        providers = self._chain.providers
        failures = await asyncio.gather(*(self._checked(provider) for provider in providers))
        before = self.failures
        self._failures = {provider.name: failure for provider, failure in zip(providers, failures, strict=True)}
        for name, failure in self._failures.items():
            self._up.labels(name).set(failure is None)
            if failure is not None and before.get(name) is None:
                _log.warning("%s cannot serve: %s", name, failure)
            elif failure is None and before.get(name) is not None:
                _log.info("%s can serve again", name)
        if (failure := self._chain.failure(self._failures)) is not None:
            raise failure

    async def _checked(self, provider: Provider) -> GatewayError | None:
        patience = _SHARE * self.timeout
        try:
            async with asyncio.timeout(patience):
                await provider.check()
        except GatewayError as error:
            return error
        except TimeoutError:
            return GatewayError(Reason.UNAVAILABLE, f"it did not answer its check within {patience:g} s")
        except Exception:  # noqa: BLE001  # logged whole; else the last check's outcome would stand for ever
            _log.exception("the check of %s failed", provider.name)
            return GatewayError(Reason.INTERNAL, "its check failed; the log says why")
        return None
