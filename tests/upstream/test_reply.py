import pytest
from multidict import CIMultiDict

from gateway.upstream.reply import HttpReply, http_date


def reply(**headers: str) -> HttpReply:
    return HttpReply(200, CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()}), b"hunter2")


def test_neither_headers_nor_body_are_shown() -> None:
    assert repr(reply(X_Subject_Token="hunter3")) == "HttpReply(status=200)"


def test_the_server_s_clock() -> None:
    assert reply(date="Wed, 21 Oct 2026 07:28:00 GMT").server_time == 1_792_567_680
    assert reply().server_time is None


@pytest.mark.parametrize(
    "text",
    ["Wed, 21 Oct 2026 07:28:00 GMT", "Wednesday, 21-Oct-26 07:28:00 GMT", "Wed Oct 21 07:28:00 2026"],
)
def test_every_form_of_an_http_date(text) -> None:
    assert http_date(text) == 1_792_567_680


@pytest.mark.parametrize(
    "text", ["", "0", "soon", "Wed, 99 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 99999999999 07:28:00 GMT", "1, " * 9]
)
def test_what_is_no_date(text) -> None:
    assert http_date(text) is None
