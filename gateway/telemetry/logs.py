"""Logs as lines of text or JSON, each with the call that it is about."""

import json
import logging
import math
import time
from typing import IO, Final

from opentelemetry import trace

from gateway.telemetry.redaction import redacted
from gateway.telemetry.scope import Scope, current_scope
from gateway.telemetry.settings import LogFormat

FIELDS: Final = "fields"
"""The attribute of a record (`extra=`) with a mapping of further facts: keys of a JSON line, `key=value` of a line of text."""

_FACTS: Final = ("method", "request_id", "tenant")


def configure_logging(stream: IO[str], level: str, log_format: LogFormat) -> None:
    """Have everything of `level` and above written to `stream`, in place of what was configured before."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)


class TextFormatter(logging.Formatter):
    """`time level logger: message`, and of a call's lines its request id."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One record, with its traceback if it has one."""
        text = redacted(super().format(record))
        facts = {name: value for name, value in getattr(record, FIELDS, {}).items() if value != ""}
        scope = current_scope()
        if scope is not None:
            facts.setdefault("request_id", scope.request_id)
        if not facts:
            return text
        head, newline, rest = text.partition("\n")
        return f"{head} [{' '.join(f'{name}={value}' for name, value in facts.items())}]{newline}{rest}"


class JsonFormatter(logging.Formatter):
    """A JSON object on a line: `time` (RFC 3339), `level`, `logger`, `message`, and of a call's lines `request_id`, `trace_id`,
    `span_id`, `method`, `tenant`; `exception` with the traceback; whatever else there is to tell."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        line: dict[str, object] = {
            "time": _rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        scope = current_scope()
        if scope is not None:
            line |= {name: getattr(scope, name) for name in _FACTS if getattr(scope, name)}
            line |= _trace_ids(scope)
        line |= getattr(record, FIELDS, {})
        if record.exc_info:
            line["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


def _trace_ids(scope: Scope) -> dict[str, str]:
    """Those of the current span; where calls are not traced, those that the caller sent."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
    match scope.trace_context.get("traceparent", "").split("-"):
        case [_, trace_id, span_id, _] if len(trace_id) == 32 and len(span_id) == 16 and (trace_id + span_id).isalnum():
            return {"trace_id": trace_id, "span_id": span_id}
    return {}


def _rfc3339(seconds: float) -> str:
    fraction, whole = math.modf(seconds)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(whole))}.{int(fraction * 1000):03d}Z"
