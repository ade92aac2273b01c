"""Sending traces to a collector. Whether that works is nothing to calls: spans wait in a bounded queue, beyond which they are
dropped."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

from gateway.telemetry.settings import TraceSettings
from gateway.telemetry.tracing import Tracing

_EXPORT_SECONDS: Final = 5.0
"""For one attempt to send what has gathered, and for the last one at the end."""

_QUEUED_SPANS: Final = 4096


@contextlib.asynccontextmanager
async def opened_tracing(settings: TraceSettings, version: str) -> AsyncIterator[Tracing | None]:
    """What traces calls, if the settings want that. Raises `ValueError` saying which setting cannot be had."""
    if settings.endpoint is None:
        yield None
        return
    try:
        # Only where they are wanted: they take a tenth of a second to import, and are an extra.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415
    except ImportError as error:
        msg = "endpoint: traces need the extra: pip install 'image-gateway[otel]'"
        raise ValueError(msg) from error
    exporter = OTLPSpanExporter(
        endpoint=f"{settings.endpoint}/v1/traces", headers=read_headers(settings.headers_file), timeout=_EXPORT_SECONDS
    )
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.ratio)),
        resource=Resource.create({"service.name": settings.service_name, "service.version": version}),
        shutdown_on_exit=False,
    )
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=_QUEUED_SPANS))
    try:
        yield Tracing(provider.get_tracer("gateway", version), propagates=settings.propagate)
    finally:
        # Sends what is left, which blocks; a collector that hangs does not hold up the end for long.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EXPORT_SECONDS):
                await asyncio.to_thread(provider.shutdown)


def read_headers(file: Path | None) -> Mapping[str, str]:
    """The headers in `file`. Raises `ValueError` that quotes none of it."""
    if file is None:
        return {}
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"headers_file: {file} cannot be read as text"
        raise ValueError(msg) from error
    headers = {}
    for number, line in enumerate(lines, 1):
        name, colon, value = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not colon or not name.strip():
            msg = f"headers_file: line {number} of {file} must be NAME: VALUE"
            raise ValueError(msg)
        headers[name.strip()] = value.strip()
    return headers
