import ast
import inspect

import pytest

from gateway import errors
from gateway.errors import ADVICE, GatewayError, Reason, UpstreamDetail


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_called_what_clients_see(reason) -> None:
    assert reason.value == reason.name


def test_every_reason_is_documented() -> None:
    (body,) = (node.body for node in ast.parse(inspect.getsource(errors)).body if getattr(node, "name", "") == "Reason")
    members, texts = body[1::2], body[2::2]  # after the class's own docstring
    assert [node.targets[0].id for node in members] == list(Reason.__members__)
    assert all(isinstance(node.value.value, str) and node.value.value.endswith((".", ")")) for node in texts)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_comes_with_advice(reason) -> None:
    assert ADVICE[reason].endswith(".")
    assert "|" not in ADVICE[reason]  # it goes into a table


def test_what_may_have_been_billed_is_not_lightly_sent_again() -> None:
    for reason in (Reason.UPSTREAM_TIMEOUT, Reason.UPSTREAM_REPLY_LOST, Reason.DEADLINE_EXCEEDED, Reason.CANCELLED):
        assert "billed" in ADVICE[reason]


def test_an_error_says_what_it_was_told_and_no_more() -> None:
    detail = UpstreamDetail("AIS.0504", 400, "abc")
    error = GatewayError(
        Reason.IMAGE_TOO_LARGE, "it is big", field="content", measured="9", allowed="8", retry_after=0.5, upstream=detail
    )
    assert (str(error), error.message, error.reason) == ("it is big", "it is big", Reason.IMAGE_TOO_LARGE)
    assert (error.field, error.measured, error.allowed, error.retry_after) == ("content", "9", "8", 0.5)
    assert error.upstream is detail
    assert repr(error) == "GatewayError(IMAGE_TOO_LARGE, 'it is big')"


def test_facts_that_are_not_known_are_empty() -> None:
    error = GatewayError(Reason.INTERNAL, "broken")
    assert (error.field, error.measured, error.allowed, error.retry_after, error.upstream) == ("", "", "", None, None)
    assert UpstreamDetail() == UpstreamDetail(error_code="", http_status=0, request_id="")
