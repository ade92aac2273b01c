import json

import pytest

from gateway.rest.codes import CODES
from gateway.rest.errors import RestError


@pytest.mark.parametrize("code", CODES)
def test_a_reply_is_the_contract_s(code) -> None:
    response = RestError(code, "(why)").response()
    assert response.content_type == "application/json"
    assert json.loads(response.text) == {"error_code": code, "error_msg": f"{CODES[code].message} (why)"}
    assert response.status == CODES[code].status
    assert RestError(code).message == CODES[code].message
    assert "Retry-After" not in response.headers


@pytest.mark.parametrize(("seconds", "sent"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (90, "90")])
def test_a_pause_is_sent_in_whole_seconds_and_never_none(seconds, sent) -> None:
    assert RestError("APIG.0308", retry_after=seconds).response().headers["Retry-After"] == sent
