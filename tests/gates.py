"""Gates for tests."""

import time

from prometheus_client import CollectorRegistry

from gateway.access.authenticator import Authentication
from gateway.access.gate import Gate
from gateway.access.metrics import AccessMetrics
from gateway.access.tenants import EMPTY


def open_gate() -> Gate:
    """Everybody may do everything, as whoever they say they are."""
    return Gate(Authentication([], allow_anonymous=True), lambda: EMPTY, AccessMetrics(CollectorRegistry()), time.monotonic)
