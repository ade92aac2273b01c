import math

import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream.wire.values import NOT_THE_CONTRACTS, number, percent, reading, share, text


@pytest.mark.parametrize(("value", "expected"), [(7, 7.0), (7.5, 7.5), ("7.5", 7.5), ("-1e3", -1000.0), (0, 0.0)])
def test_numbers_come_as_numbers_and_as_text(value, expected) -> None:
    assert number(value) == expected


@pytest.mark.parametrize("value", ["", "x", "nan", "inf", math.nan, -math.inf, True, None, [7], {}, 10**400, "1" * 5000])
def test_what_is_no_number(value) -> None:
    with pytest.raises(NOT_THE_CONTRACTS):
        number(value)


@pytest.mark.parametrize(("read", "highest"), [(percent, 100), (share, 1)])
def test_confidences_have_ends(read, highest) -> None:
    assert (read(0), read(highest), read(str(highest))) == (0.0, highest, highest)
    for value in (-0.001, highest + 0.001):
        with pytest.raises(ValueError, match="range"):
            read(value)


def test_text_is_what_protobuf_can_hold() -> None:
    assert text("树") == "树"
    for value in (7, None, b"x", "\ud800"):
        with pytest.raises(NOT_THE_CONTRACTS):
            text(value)


def test_a_fault_of_the_document_is_the_cloud_s_and_another_is_not() -> None:
    with pytest.raises(GatewayError) as caught, reading("image tagging"):
        number("x")
    assert caught.value.reason is Reason.UPSTREAM_BAD_RESPONSE
    assert caught.value.message == "the cloud's reply to image tagging is not what its contract says"
    with pytest.raises(ZeroDivisionError), reading("image tagging"):
        _ = 1 / 0
