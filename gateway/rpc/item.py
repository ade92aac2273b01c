"""One item of a stream or a batch, observed."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Final

from gateway.errors import GatewayError, Reason
from gateway.telemetry.scope import current_scope
from gateway.telemetry.stage import stage

_OK: Final = "ok"


@contextlib.contextmanager
def observed_item() -> Iterator[None]:
    """Count, time and trace the work on an item, which is done inside. Raises what that raises."""
    scope = current_scope()
    started_at = time.perf_counter()
    outcome = Reason.INTERNAL.value
    try:
        with stage("item"):
            yield
        outcome = _OK
    except GatewayError as error:
        outcome = error.reason.value
        raise
    except asyncio.CancelledError:
        outcome = Reason.CANCELLED.value
        raise
    finally:
        if scope is not None:
            scope.end_item(outcome, time.perf_counter() - started_at)
