"""Which calls are logged, and how."""

import logging

import grpc
import pytest

from gateway.rpc.call_log import CallLog
from gateway.telemetry.scope import Scope

METHOD = "gateway.imagerecognition.v1.TaggingService/TagImage"
OK, INVALID, DOWN = grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAVAILABLE


def levels(log: CallLog, caplog, code: grpc.StatusCode, method: str = METHOD) -> list[int]:
    caplog.set_level(logging.DEBUG, logger="gateway.calls")
    caplog.clear()
    log.ended(Scope(method, "1", is_known=True), code, 0.5)
    return [record.levelno for record in caplog.records]


@pytest.mark.parametrize(("level", "number"), [("debug", logging.DEBUG), ("info", logging.INFO)])
def test_success_is_logged_at_the_level_that_is_set(caplog, level, number) -> None:
    assert levels(CallLog(level), caplog, OK) == [number]


def test_of_those_that_succeed_a_share_and_of_those_that_fail_all(caplog) -> None:
    drawn = [0.0, 0.09, 0.1, 0.9]
    log = CallLog("info", 0.1, draw=lambda: drawn.pop(0))
    assert [len(levels(log, caplog, OK)) for _ in range(4)] == [1, 1, 0, 0]
    assert [levels(log, caplog, code) for code in (INVALID, DOWN)] == [[logging.INFO], [logging.WARNING]]


def test_of_grpcs_own_services_nothing_that_anybody_wants(caplog) -> None:
    for code in (OK, grpc.StatusCode.CANCELLED, grpc.StatusCode.NOT_FOUND):
        assert levels(CallLog("info"), caplog, code, "grpc.health.v1.Health/Watch") == [logging.DEBUG]


def test_a_line_tells_what_came_of_the_call(caplog) -> None:
    caplog.set_level(logging.DEBUG, logger="gateway.calls")
    scope = Scope(METHOD, "1", tenant="acme", reason="IMAGE_DAMAGED")
    scope.end_item("ok", 0.1)
    CallLog().ended(scope, INVALID, 0.12345678)
    assert caplog.records[0].fields == {
        "method": METHOD,
        "code": "INVALID_ARGUMENT",
        "reason": "IMAGE_DAMAGED",
        "tenant": "acme",
        "seconds": 0.123457,
        "items": {"ok": 1},
    }


def test_failing_calls_of_strangers_fill_no_disk(caplog) -> None:
    now = 100.0
    log = CallLog(clock=lambda: now)

    def failing(scope: Scope, times: int) -> list[dict[str, object]]:
        caplog.clear()
        for _ in range(times):
            log.ended(scope, grpc.StatusCode.UNAUTHENTICATED, 0.5)
        return [record.fields for record in caplog.records]

    caplog.set_level(logging.INFO, logger="gateway.calls")
    assert len(failing(Scope(METHOD, "1"), 1000)) == 20
    assert len(failing(Scope(METHOD, "1", is_known=True), 100)) == 100
    now += 3
    lines = failing(Scope(METHOD, "1"), 10)
    assert [line.get("left_out", 0) for line in lines] == [980, 0, 0]


def test_lines_that_nobody_wants_use_up_no_ration(caplog) -> None:
    log = CallLog(clock=lambda: 0.0)
    caplog.set_level(logging.WARNING, logger="gateway.calls")
    for _ in range(50):
        log.ended(Scope(METHOD, "1"), grpc.StatusCode.UNAUTHENTICATED, 0.5)
    assert not caplog.records
    caplog.set_level(logging.INFO, logger="gateway.calls")
    log.ended(Scope(METHOD, "1"), grpc.StatusCode.UNAUTHENTICATED, 0.5)
    assert [record.fields.get("left_out", 0) for record in caplog.records] == [0]


def test_what_strangers_do_wrong_does_not_hide_what_they_cannot_help(caplog) -> None:
    log = CallLog(clock=lambda: 0.0)
    caplog.set_level(logging.INFO, logger="gateway.calls")
    for code in (INVALID, grpc.StatusCode.INTERNAL):
        for _ in range(50):
            log.ended(Scope(METHOD, "1"), code, 0.5)
    assert [record.levelno for record in caplog.records] == [logging.INFO] * 20 + [logging.WARNING] * 20


def test_strangers_are_not_asked_for_what_succeeds(caplog) -> None:
    log = CallLog("info", clock=lambda: 0.0)
    caplog.set_level(logging.INFO, logger="gateway.calls")
    for _ in range(50):
        log.ended(Scope(METHOD, "1"), OK, 0.5)
    assert len(caplog.records) == 50
