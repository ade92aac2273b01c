import pytest

from gateway.telemetry.redaction import redacted


@pytest.mark.parametrize(
    "text",
    [
        "X-Auth-Token: hunter2",
        "headers {'X-Auth-Token': 'hunter2', 'Host': 'h'}",
        'body {"password": "hunter2"}',
        "Authorization: Bearer hunter2",
        "Authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=hunter2",
        "secret_key=hunter2",
        "redis://someone:hunter2@10.0.0.1:6379/0",
        "https://bucket.obs.example/cat.png?AccessKeyId=AK&Signature=hunter2",
        "token eyJhbGciOi.eyJzdWIiOi.hunter2",
        "picture " + "hunter2" * 40,
    ],
)
def test_what_looks_like_a_secret_is_not_shown(text) -> None:
    assert "hunter2" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "health: SERVING",
        "setting cloud.password_file is read again",
        "request 0af7651916cd43dd8448eb211c80319c failed: the picture has 3 bytes",
        "operators' port: http://127.0.0.1:9100/",
        "no token: the cloud's identity service cannot be reached",
    ],
)
def test_everything_else_is(text) -> None:
    assert redacted(text) == text


def test_a_key_of_the_gateway_is_not_shown_wherever_it_stands() -> None:
    assert redacted("the key igk_0123456789abcdef_" + "hunter2" * 6 + " is not known") == "the key … is not known"
