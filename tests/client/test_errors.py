"""What a caller can tell from an error without knowing every reason."""

import pytest

from gateway.client import GatewayError, Reason
from gateway.errors import ADVICE
from gateway.rpc.status import CODES


@pytest.mark.parametrize("reason", Reason)
def test_what_can_be_sent_again_is_what_is_advised_to_be(reason) -> None:
    advised = ADVICE[reason].startswith(("Send it again, after", "Send it again at once"))
    assert GatewayError(reason, "no").is_retryable is advised


def test_whatever_the_channel_sends_again_can_be() -> None:
    assert all(GatewayError(reason, "no").is_retryable for reason in Reason if CODES[reason].name == "UNAVAILABLE")
