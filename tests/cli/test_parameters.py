from dataclasses import dataclass

import pytest

from gateway.cli.parameters import parsed_parameters
from gateway.errors import GatewayError, Reason
from gateway.media import Language


@dataclass(frozen=True)
class Parameters:
    language: Language = Language.ZH
    threshold: float = 60.0
    limit: int | None = 50
    natural: bool = True
    name: str = ""
    hidden: str = ""


NAMES = ("language", "threshold", "limit", "natural", "name")


def test_the_defaults_stay() -> None:
    assert parsed_parameters(Parameters, NAMES, ()) == Parameters()


def test_values_are_of_the_fields_types() -> None:
    given = ("language=en", "threshold=1e1", "limit=7", "natural=False", "name=a=b")
    parsed = parsed_parameters(Parameters, NAMES, given)
    assert parsed == Parameters(Language.EN, 10.0, 7, natural=False, name="a=b")
    assert type(parsed.limit) is int


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["language=fr"], "language is 'fr'; it must be one of zh, en"),
        (["threshold=high"], "threshold is 'high'; it must be a number"),
        (["limit=1.5"], "limit is '1.5'; it must be a whole number"),
        (["natural=1"], "natural is '1'; it must be true or false"),
        (["other=1"], "there is no parameter 'other'; there are: language, threshold, limit, natural, name"),
        (["hidden=1"], "there is no parameter 'hidden'"),
        (["limit"], "write NAME=VALUE"),
        (["limit=1", "limit=2"], "limit is given twice"),
    ],
)
def test_what_cannot_be_set_is_told(given, message) -> None:
    with pytest.raises(GatewayError) as caught:
        parsed_parameters(Parameters, NAMES, given)
    assert caught.value.reason is Reason.INVALID_ARGUMENT
    assert message in caught.value.message
