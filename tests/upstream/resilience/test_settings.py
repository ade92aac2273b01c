import pytest
from pydantic import ValidationError

from gateway.upstream.resilience.settings import BreakerSettings, HedgeSettings, LimitSettings, RetrySettings


def test_the_defaults_spend_no_money_twice_and_keep_to_the_vendor_s_limit() -> None:
    assert RetrySettings().lost_replies is False
    assert HedgeSettings().after is None
    assert (LimitSettings().concurrency, LimitSettings().rate) == (10, None)
    assert BreakerSettings().enabled


def test_the_least_is_not_more_than_the_most() -> None:
    assert LimitSettings(concurrency=3, least=3).least == 3
    with pytest.raises(ValidationError, match="least"):
        LimitSettings(concurrency=3, least=4)


@pytest.mark.parametrize("settings", [RetrySettings, LimitSettings, BreakerSettings, HedgeSettings])
def test_every_setting_is_described(settings) -> None:
    assert all(field.description for field in settings.model_fields.values())
