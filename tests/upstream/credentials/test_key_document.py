import json
import math

import pytest

from gateway.upstream.credentials.access_key import AccessKey
from gateway.upstream.credentials.key_document import read_key

NOW = 1_800_000_000.0
END = "2027-01-15T10:00:00.000000Z"
FLAT = {"access": "AK", "secret": "SK", "securitytoken": "token", "expires_at": END}
TEMPORARY = AccessKey("AK", "SK", "token", expires_at=NOW + 7200)


@pytest.mark.parametrize(
    "document",
    [
        {"credential": FLAT},
        {"credentials": FLAT},
        FLAT,
        FLAT | {"expires_at": "2027-01-15T10:00:00Z"},
        {"accessKeyId": "AK", "secretAccessKey": "SK", "securityToken": "token", "expiration": END},
        {"access_key_id": "AK", "secret_access_key": "SK", "security_token": "token", "expires_at": END},
        {"ak": "AK", "sk": "SK", "security_token": "token", "expires_at": END},
    ],
)
def test_every_spelling_of_the_vendor_s_is_read(document) -> None:
    assert read_key("\n " + json.dumps(document), NOW) == TEMPORARY


def test_a_profile_file_of_the_sdk_is_read() -> None:
    profile = "[global]\nak = other\nsk = other\n\n[basic]\nak = AK\nsk = S%K\nproject_id = p7\nsecurity_token = token\n"
    assert read_key(profile, NOW) == AccessKey("AK", "S%K", "token", project_id="p7")
    permanent = read_key("[basic]\nak=AK\nsk=SK\n", NOW)
    assert permanent == AccessKey("AK", "SK")
    assert permanent.renew_at == math.inf


def test_it_is_renewed_ahead_and_looked_at_again_earlier() -> None:
    assert read_key(json.dumps(FLAT), NOW).renew_at == NOW + 0.9 * 7200
    assert read_key(json.dumps(FLAT), NOW, 10.0).renew_at == NOW + 10.0
    assert read_key("[basic]\nak=AK\nsk=SK", NOW, 10.0).renew_at == NOW + 10.0
    assert read_key(json.dumps(FLAT), NOW + 7195, 10.0).renew_at == pytest.approx(NOW + 7199.5)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no access key"),
        ("{", "no access key"),
        ("{}", "no access key"),
        ('{"a":' * 100_000, "no access key"),
        ('{"credential": ["AK"]}', "no access key"),
        ('{"access": "AK"}', "no access key"),
        ('{"access": 7, "secret": "SK"}', "no access key"),
        ("hunter2", "no access key"),
        ("[basic]\nak = AK\nak = hunter2", "no access key"),
        ("[basic]\nak = AK", "no access key"),
        ("[global]\nak = AK\nsk = SK", "no access key"),
        (json.dumps(FLAT | {"expires_at": "hunter2"}), "no time"),
        (json.dumps(FLAT | {"expires_at": "2027-01-15T08:00:00Z"}), "expired"),
        (json.dumps(FLAT | {"access": "A\r\nK"}), "characters"),
        (json.dumps(FLAT | {"access": "A,K"}), "characters"),
        (json.dumps(FLAT | {"access": "A K"}), "characters"),
        (json.dumps(FLAT | {"securitytoken": "tökén"}), "characters"),
        (json.dumps(FLAT | {"project_id": "../hunter2"}), "characters"),
    ],
)
def test_what_is_no_key_is_named_without_quoting(text, complaint) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        read_key(text, NOW)
    assert "hunter2" not in str(caught.value)
