"""Clients that announce a file and go away."""

import asyncio
import logging
from typing import Any, cast

import grpc.aio
import pytest

from gateway.rpc.upload import accept


class GoneClient:
    """A call whose client has gone away, as gRPC shows it before it cancels the handler."""

    async def send_initial_metadata(self, metadata: object) -> None:
        raise grpc.aio.InternalError("the batch failed")


async def test_a_client_that_went_away_before_it_was_told_to_send_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(asyncio.CancelledError):
        await accept(cast("Any", GoneClient()))
    (record,) = [record for record in caplog.records if record.name == "gateway.rpc.upload"]
    assert record.levelno == logging.DEBUG
    assert "the batch failed" in record.getMessage()
