"""What a gRPC server is given for being seen from outside."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from gateway.rpc.call_log import CallLog
from gateway.telemetry.tracing import Tracing


@dataclass(frozen=True, slots=True)
class RpcTelemetry:
    """Where metrics go, how calls are logged, and what traces them, if anything does."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    log: CallLog = field(default_factory=CallLog)
    tracing: Tracing | None = None
