import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from gateway.errors import GatewayError, Reason, UpstreamDetail
from gateway.rpc.status import CODES, DOMAIN, pushback, to_status


def details(status: status_pb2.Status) -> dict[str, object]:
    kinds = (
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.QuotaFailure,
        error_details_pb2.RetryInfo,
    )
    found: dict[str, object] = {}
    for detail in status.details:
        for kind in kinds:
            message = kind()
            if detail.Unpack(message):
                found[kind.__name__] = message
    return found


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_code_and_says_its_name(reason: Reason) -> None:
    status = to_status(GatewayError(reason, "what is wrong"))
    assert status.code == CODES[reason].value[0] != grpc.StatusCode.OK.value[0]
    info = details(status)["ErrorInfo"]
    assert (info.reason, info.domain) == (reason.value, DOMAIN)


def test_only_what_may_be_sent_again_is_unavailable() -> None:
    retryable = {reason for reason in Reason if CODES[reason] is grpc.StatusCode.UNAVAILABLE}
    assert retryable == {
        Reason.BUDGET_UNKNOWN,
        Reason.UPSTREAM_UNAVAILABLE,
        Reason.UPSTREAM_SUSPENDED,
        Reason.SHUTTING_DOWN,
        Reason.UNAVAILABLE,
    }


def test_details_tell_what_to_change() -> None:
    error = GatewayError(
        Reason.UPSTREAM_THROTTLED,
        "slow down",
        field="content",
        measured="14x14 px",
        allowed="15 to 4096 px",
        retry_after=1.5,
        upstream=UpstreamDetail("APIG.0308", 429, "abc"),
    )
    found = details(to_status(error))
    assert dict(found["ErrorInfo"].metadata) == {
        "measured": "14x14 px",
        "allowed": "15 to 4096 px",
        "upstreamErrorCode": "APIG.0308",
        "upstreamHttpStatus": "429",
        "upstreamRequestId": "abc",
    }
    (violation,) = found["BadRequest"].field_violations
    assert (violation.field, violation.description) == ("content", "slow down")
    assert found["RetryInfo"].retry_delay.ToMilliseconds() == 1500


def test_details_that_do_not_apply_are_left_out() -> None:
    found = details(to_status(GatewayError(Reason.INTERNAL, "broken")))
    assert set(found) == {"ErrorInfo"}
    assert not found["ErrorInfo"].metadata


@pytest.mark.parametrize(
    ("reason", "subject"),
    [
        (Reason.OVERLOADED, "gateway"),
        (Reason.UPSTREAM_THROTTLED, "cloud account"),
        (Reason.TENANT_LIMIT_EXCEEDED, "tenant"),
        (Reason.BUDGET_EXHAUSTED, "tenant"),
    ],
)
def test_a_limit_that_was_reached_is_somebody_s(reason, subject) -> None:
    (violation,) = details(to_status(GatewayError(reason, "slow down")))["QuotaFailure"].violations
    assert (violation.subject, violation.description) == (subject, "slow down")


def test_other_errors_are_no_matter_of_limits() -> None:
    limited = {reason for reason in Reason if "QuotaFailure" in details(to_status(GatewayError(reason, "wrong")))}
    assert limited == {reason for reason in Reason if CODES[reason] is grpc.StatusCode.RESOURCE_EXHAUSTED}


@pytest.mark.parametrize("reason", Reason)
def test_a_pause_is_for_what_may_be_sent_again(reason: Reason) -> None:
    told = pushback(GatewayError(reason, "wrong", retry_after=2))
    if reason in {Reason.UPSTREAM_TIMEOUT, Reason.UPSTREAM_REPLY_LOST, Reason.BUDGET_EXHAUSTED}:
        assert told == "-1"
    elif CODES[reason] in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}:
        assert told == "2000"
    else:
        assert told is None


def test_a_pause_is_never_shorter_than_it_was_meant() -> None:
    assert pushback(GatewayError(Reason.OVERLOADED, "busy", retry_after=0.0001)) == "1"
