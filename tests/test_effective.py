from gateway.config import GatewaySettings, declared_settings
from gateway.effective import shown_settings


def test_every_setting_is_shown_and_no_secret_is() -> None:
    cloud = {"user": "someone", "password": "hunter2", "iam_endpoint": "https://iam.example"}
    shown = shown_settings(GatewaySettings.model_validate({"cloud": cloud, "redis": {"url": "redis://:hunter2@h:1/0"}}))
    assert list(shown) == [declared.path for declared in declared_settings()]
    assert (shown["cloud.user"], shown["cloud.password"], shown["redis.url"]) == ("someone", "(set)", "(set)")
    assert shown["cloud.secret_key"] is None
    assert "hunter2" not in str(shown)
