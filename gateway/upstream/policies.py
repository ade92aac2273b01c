"""The policies for calls to the cloud, as their settings say."""

from typing import NamedTuple

from gateway.upstream.resilience.settings import BreakerSettings, HedgeSettings, LimitSettings, RetrySettings


class Policies(NamedTuple):
    """One set of them."""

    retry: RetrySettings = RetrySettings()
    limit: LimitSettings = LimitSettings()
    breaker: BreakerSettings = BreakerSettings()
    hedge: HedgeSettings = HedgeSettings()
