import io
import json
import logging
import re

import pytest

from gateway.telemetry.logs import FIELDS, JsonFormatter, TextFormatter, configure_logging
from gateway.telemetry.scope import Scope, entered

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def record(message: str = "it happened", **extra: object) -> logging.LogRecord:
    return logging.getLogger("some.room").makeRecord("some.room", logging.INFO, "f", 1, message, (), None, extra=extra)


def scope(traceparent: str = f"00-{TRACE}-{SPAN}-01") -> Scope:
    return Scope("svc/M", "order-7", tenant="acme", trace_context={"traceparent": traceparent})


def test_a_line_of_json_outside_calls() -> None:
    line = json.loads(JsonFormatter().format(record()))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {"level": "info", "logger": "some.room", "message": "it happened"}


def test_a_line_of_json_inside_a_call() -> None:
    with entered(scope()):
        line = json.loads(JsonFormatter().format(record(**{FIELDS: {"code": "OK"}})))
    told = {"request_id": "order-7", "method": "svc/M", "tenant": "acme", "trace_id": TRACE, "span_id": SPAN, "code": "OK"}
    assert line | told == line


@pytest.mark.parametrize("sent", ["", "garbage", "a-b-c-d", f'00-{TRACE[:-1]}"-{SPAN}-01'])
def test_what_callers_send_in_place_of_a_context_is_not_logged(sent) -> None:
    with entered(scope(sent)):
        assert "trace_id" not in json.loads(JsonFormatter().format(record()))


def test_a_message_of_several_lines_is_one_line_of_json() -> None:
    error = ValueError("password=hunter2")
    failed = logging.getLogger("r").makeRecord("r", 40, "f", 1, "a\nb", (), (type(error), error, None))
    text = JsonFormatter().format(failed)
    assert "\n" not in text
    assert "hunter2" not in text
    assert "ValueError" in json.loads(text)["exception"]


def test_a_line_of_text_names_the_call() -> None:
    assert TextFormatter().format(record()).endswith(" INFO some.room: it happened")
    with entered(scope()):
        text = TextFormatter().format(record(**{FIELDS: {"code": "OK", "reason": ""}}))
    assert text.endswith("some.room: it happened [code=OK request_id=order-7]")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_logging_is_configured_once_more(log_format) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        root.handlers = []
        configure_logging(stream, "WARNING", log_format)
        logging.getLogger("x").info("unheard")
        logging.getLogger("x").warning("heard")
    finally:
        root.handlers, root.level = before, level
    assert "unheard" not in stream.getvalue()
    assert ("heard" in stream.getvalue(), stream.getvalue().startswith("{")) == (True, log_format == "json")
