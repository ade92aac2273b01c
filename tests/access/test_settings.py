import pytest
from pydantic import ValidationError

from gateway.access.settings import AccessSettings


def test_keys_are_trusted_at_least_until_they_are_renewed() -> None:
    with pytest.raises(ValidationError, match="jwt_max_age: must be at least jwt_refresh, which is 3600"):
        AccessSettings(jwt_refresh=3600, jwt_max_age=3599)
    assert AccessSettings(jwt_refresh=86_400).jwt_max_age == 86_400
