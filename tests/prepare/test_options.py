import dataclasses

import pytest
from pydantic import ValidationError

from gateway import _native
from gateway.errors import GatewayError, Reason
from gateway.prepare import Alpha, Convert, Operation, OutputFormat, PrepareOptions, Preparer
from gateway.prepare.options import UNTOUCHED, policy
from gateway.prepare.settings import PrepareSettings

RANGES = {"max_side": (15, 4096), "max_bytes": (1024, 7_864_320), "quality": (1, 100)}


@pytest.mark.parametrize("name", RANGES)
def test_numbers_have_ranges(name) -> None:
    low, high = RANGES[name]
    for value in (low, high):
        assert getattr(PrepareOptions(**{name: value}), name) == value
    for value in (low - 1, high + 1, 0, -1):
        with pytest.raises(GatewayError) as caught:
            PrepareOptions(**{name: value})
        error = caught.value
        assert (error.reason, error.field) == (Reason.INVALID_ARGUMENT, f"options.{name}")
        assert (error.measured, error.allowed) == (str(value), f"{low} to {high}")
        assert all(part in error.message for part in (error.field, error.measured, error.allowed))


def test_transparency_cannot_be_kept_in_jpeg() -> None:
    with pytest.raises(GatewayError) as caught:
        PrepareOptions(alpha=Alpha.KEEP, output_format=OutputFormat.JPEG)
    error = caught.value
    assert (error.reason, error.field) == (Reason.INVALID_ARGUMENT, "options.alpha")
    assert (error.measured, error.allowed) == ("keep", "white")
    for options in ({"alpha": Alpha.KEEP}, {"alpha": Alpha.KEEP, "output_format": OutputFormat.PNG}):
        assert PrepareOptions(**options).alpha is Alpha.KEEP


def test_the_defaults_repair_what_they_can() -> None:
    options = PrepareOptions()
    assert (options.fit, options.shrink, options.rotate, options.strip_metadata) == (True, True, True, True)
    assert (options.full_decode, options.allow_other_formats) == (False, False)
    assert (options.convert, options.alpha, options.output_format) == (Convert.NEEDED, Alpha.WHITE, OutputFormat.AUTO)
    assert (options.max_side, options.max_bytes, options.quality) == (None, None, 90)


OTHERS = {
    "fit": False,
    "shrink": False,
    "rotate": False,
    "convert": Convert.ALWAYS,
    "strip_metadata": False,
    "full_decode": True,
    "alpha": Alpha.KEEP,
    "output_format": OutputFormat.PNG,
    "max_side": 100,
    "max_bytes": 2000,
    "quality": 50,
}


def test_each_option_reaches_the_policy() -> None:
    default = policy(Operation.TAGGING, PrepareOptions(), 1_000_000)
    policies = [policy(Operation.TAGGING, PrepareOptions(**{name: value}), 1_000_000) for name, value in OTHERS.items()]
    assert all(default != other for other in policies)
    assert all(a != b for index, a in enumerate(policies) for b in policies[:index])
    assert default != policy(Operation.TAGGING, PrepareOptions(), 1_000_001)
    assert default != policy(Operation.SUPER_RESOLUTION, PrepareOptions(), 1_000_000)
    assert default == policy(Operation.DEFOG, PrepareOptions(), 1_000_000)
    # The one that is left is about what the native core does not decode.
    assert {field.name for field in dataclasses.fields(PrepareOptions)} == {*OTHERS, "allow_other_formats"}


def test_the_policy_is_made_once() -> None:
    assert policy(Operation.TAGGING, PrepareOptions(quality=71), 5) is policy(Operation.TAGGING, PrepareOptions(quality=71), 5)


def test_untouched_is_without_repairs() -> None:
    assert not any((UNTOUCHED.fit, UNTOUCHED.shrink, UNTOUCHED.rotate, UNTOUCHED.strip_metadata, UNTOUCHED.full_decode))


SETTINGS = {
    "fit": False,
    "shrink": False,
    "convert": "always",
    "strip_metadata": False,
    "full_decode": True,
    "max_side": 1024,
    "quality": 77,
    "allow_other_formats": True,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_is_carried_to_the_options(name) -> None:
    value = SETTINGS[name]
    options = PrepareSettings(**{name: value}).options()
    assert options == dataclasses.replace(PrepareOptions(), **{name: value})
    assert options != PrepareOptions()


def test_the_default_settings_are_the_default_options() -> None:
    assert PrepareSettings().options() == PrepareOptions()
    # What is left is how much of the machine may be used.
    assert set(PrepareSettings.model_fields) == {*SETTINGS, "workers", "memory", "max_pixels"}
    assert PrepareSettings().workers >= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": 0},
        {"workers": 257},
        {"memory": (64 << 20) - 1},
        {"max_pixels": 999_999},
        {"convert": "sometimes"},
        {"max_side": 14},
        {"max_side": 4097},
        {"quality": 0},
        {"quality": 101},
        {"rotate": True},
    ],
)
def test_other_settings_are_refused(wrong) -> None:
    with pytest.raises(ValidationError):
        PrepareSettings(**wrong)


def test_a_preparer_leaves_the_process_s_memory_limit_alone() -> None:
    before = _native.memory()
    with Preparer(PrepareSettings(memory=123 << 20)):
        assert _native.memory() == before
