import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rest.parameters import Choice, Number, ParameterError, Switch, parse_all, read_all

SHARE = Number("share", 0.9, 0, 1, "A share.")
COUNT = Number("count", 50, 1, 150, "A count.", whole=True)
LENIENT = Number("lenient", 7, 0, 100, "A percentage.", lenient=True)
SCALE = Choice("scale", 3, (3, 4), "A factor.")
MODEL = Choice("model", "ESPCN", ("ESPCN", "SRCNN"), "A network.")
LOOK = Switch("look", True, "A look.")
ALL = (SHARE, COUNT, LENIENT, SCALE, MODEL, LOOK)


def kinded(value: object) -> tuple[type, object]:
    return type(value), value


# The same kinds as if they were given.
DEFAULTS = {
    "share": (float, 0.9),
    "count": (int, 50),
    "lenient": (float, 7.0),
    "scale": (int, 3),
    "model": (str, "ESPCN"),
    "look": (bool, True),
}

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


@pytest.mark.parametrize("nothing", [{}, dict.fromkeys(DEFAULTS), dict.fromkeys(DEFAULTS, ""), {"other": 1}])
def test_what_is_not_given_is_the_default(nothing) -> None:
    assert {name: kinded(value) for name, value in read_all(ALL, nothing).items()} == DEFAULTS


@pytest.mark.parametrize("nothing", [{}, dict.fromkeys(DEFAULTS, ""), dict.fromkeys(DEFAULTS, " "), {"other": "1"}])
def test_what_a_form_does_not_give_is_the_default(nothing) -> None:
    assert {name: kinded(value) for name, value in parse_all(ALL, nothing).items()} == DEFAULTS


@pytest.mark.parametrize(
    ("parameter", "sent", "meant"),
    [
        (SHARE, 0, 0.0),
        (SHARE, 1, 1.0),
        (SHARE, 1e-300, 1e-300),
        (COUNT, 1, 1),
        (COUNT, 150, 150),
        (COUNT, 5.0, 5),  # the same number in JSON
        (LENIENT, 100, 100.0),
        (LENIENT, 100.5, 7.0),
        (LENIENT, -1, 7.0),
        (LENIENT, 10**400, 7.0),
        (LENIENT, math.inf, 7.0),
        (SCALE, 4, 4),
        (SCALE, 4.0, 4),
        (MODEL, "SRCNN", "SRCNN"),
        (LOOK, False, False),
    ],
)
def test_json(parameter, sent, meant) -> None:
    assert kinded(parameter.read(sent)) == kinded(meant)


@pytest.mark.parametrize(
    ("parameter", "sent", "meant"),
    [
        (SHARE, "0.5", 0.5),
        (SHARE, "+.5", 0.5),
        (SHARE, "1.", 1.0),
        (SHARE, "5e-1", 0.5),
        (COUNT, "150", 150),
        (LENIENT, "1e999", 7.0),
        (SCALE, "4", 4),
        (MODEL, "SRCNN", "SRCNN"),
        (LOOK, "FALSE", False),
        (LOOK, "true", True),
        (LOOK, "0", False),
        (LOOK, "1", True),
    ],
)
def test_forms(parameter, sent, meant) -> None:
    assert kinded(parameter.parse(sent)) == kinded(meant)


@pytest.mark.parametrize(
    ("parameter", "sent"),
    [
        (SHARE, "0.5"),
        (SHARE, True),
        (SHARE, -0.001),
        (SHARE, 1.001),
        (SHARE, math.nan),
        (SHARE, math.inf),
        (SHARE, 10**400),
        (SHARE, [0.5]),
        (COUNT, 0),
        (COUNT, 151),
        (COUNT, 5.5),
        (COUNT, True),
        (COUNT, "5"),
        (LENIENT, "5"),
        (LENIENT, False),
        (SCALE, 2),
        (SCALE, 3.5),
        (SCALE, "3"),
        (SCALE, True),
        (SCALE, [3]),
        (MODEL, "espcn"),
        (MODEL, 3),
        (LOOK, 1),
        (LOOK, "true"),
        (LOOK, {}),
    ],
)
def test_json_of_the_wrong_kind_or_out_of_range(parameter, sent) -> None:
    with pytest.raises(ParameterError, match=rf"^\({parameter.name} is .*; it must be ") as caught:
        parameter.read(sent)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("parameter", "sent"),
    [
        (SHARE, "1,5"),
        (SHARE, "0x1"),
        (SHARE, "nan"),
        (SHARE, "inf"),
        (SHARE, "1_0"),
        (SHARE, "٣"),
        (SHARE, "1.5"),
        (COUNT, "5.5"),
        (COUNT, "five"),
        (SCALE, "5"),
        (MODEL, "espcn"),
        (LOOK, "yes"),
        (LOOK, "2"),
    ],
)
def test_forms_of_the_wrong_kind_or_out_of_range(parameter, sent) -> None:
    with pytest.raises(ParameterError, match=rf"^\({parameter.name} is .*; it must be "):
        parameter.parse(sent)


@given(st.sampled_from(ALL), JSON)
def test_whatever_comes_is_read_into_range_or_refused(parameter, sent) -> None:
    try:
        meant = parameter.read(sent)
    except ParameterError:
        return
    assert kinded(parameter.read(meant)) == kinded(meant)
    if isinstance(parameter, Number):
        assert parameter.low <= meant <= parameter.high


@given(st.sampled_from(ALL), st.text() | st.floats().map(str) | st.integers().map(str))
def test_whatever_a_form_holds_is_read_into_range_or_refused(parameter, sent) -> None:
    try:
        meant = parameter.parse(sent)
    except ParameterError:
        return
    assert parameter.read(meant) == meant


@given(st.floats(0, 1))
def test_a_number_is_the_same_in_json_and_in_a_form(value) -> None:
    assert SHARE.parse(repr(value)) == SHARE.read(value) == value
