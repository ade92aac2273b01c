import math

import pytest

from gateway.errors import GatewayError, Reason
from gateway.upstream.parameters import (
    CelebrityParameters,
    MainObjectParameters,
    MediaDetectionParameters,
    MediaTaggingParameters,
    RecaptureParameters,
)

ALLOWED = [
    (MediaTaggingParameters, "threshold", 0, 100),
    (MediaTaggingParameters, "limit", 1, 150),
    (MediaDetectionParameters, "threshold", 0, 100),
    (MediaDetectionParameters, "limit", 1, 50),
    (MainObjectParameters, "threshold", 0, 100),
    (CelebrityParameters, "threshold", 0, 1),
    (RecaptureParameters, "threshold", 0, 1),
]


def test_the_defaults_are_the_contract_s() -> None:
    assert (MediaTaggingParameters().threshold, MediaTaggingParameters().limit) == (0.0, 10)
    assert (MediaDetectionParameters().threshold, MediaDetectionParameters().limit) == (20.0, 10)
    assert (MainObjectParameters().threshold, CelebrityParameters().threshold, RecaptureParameters().threshold) == (
        30.0,
        0.9,
        0.95,
    )


@pytest.mark.parametrize(("kind", "name", "low", "high"), ALLOWED)
def test_both_ends_are_allowed(kind, name, low, high) -> None:
    assert getattr(kind(**{name: low}), name) == low
    assert getattr(kind(**{name: high}), name) == high


@pytest.mark.parametrize(("kind", "name", "low", "high"), ALLOWED)
def test_what_is_beyond_them_is_not(kind, name, low, high) -> None:
    for value in (low - 1, high + 1, math.nan, math.inf):
        with pytest.raises(GatewayError) as caught:
            kind(**{name: value})
        error = caught.value
        assert (error.reason, error.field, error.allowed) == (Reason.INVALID_ARGUMENT, name, f"{low} to {high}")
        assert error.measured == f"{value:g}"
