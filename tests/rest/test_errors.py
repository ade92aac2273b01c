import json

import pytest

from gateway.errors import GatewayError, Reason
from gateway.rest.errors import CODES, RestError, code_of, rest_error

# Whose fault the request is; everything else is the service's own.
THE_REQUEST_S = {
    Reason.INVALID_ARGUMENT: "AIS.0501",
    Reason.IMAGE_EMPTY: "AIS.0011",
    Reason.IMAGE_FORMAT_UNSUPPORTED: "AIS.0502",
    Reason.IMAGE_DAMAGED: "AIS.0503",
    Reason.IMAGE_DIMENSIONS_OUT_OF_RANGE: "AIS.0504",
    Reason.IMAGE_TOO_LARGE: "AIS.0504",
    Reason.IMAGE_REJECTED: "AIS.0503",
    Reason.URI_INVALID: "AIS.0022",
    Reason.URI_FORBIDDEN: "AIS.0022",
    Reason.URI_DOWNLOAD_FAILED: "AIS.0029",
}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_code_and_only_the_caller_s_faults_a_detail(reason) -> None:
    code = THE_REQUEST_S.get(reason, "AIS.0506")
    error = rest_error(GatewayError(reason, "detail of ours"))
    assert code_of(reason) == error.code == code
    assert error.status == CODES[code][0] == 400
    assert ("detail of ours" in error.message) == (reason in THE_REQUEST_S)


@pytest.mark.parametrize("code", CODES)
def test_a_reply_is_the_contract_s(code) -> None:
    response = RestError(code, "(why)").response()
    assert response.content_type == "application/json"
    assert json.loads(response.text) == {"error_code": code, "error_msg": f"{CODES[code][1]} (why)"}
    assert 400 <= response.status < 500
    assert RestError(code).message == CODES[code][1]
