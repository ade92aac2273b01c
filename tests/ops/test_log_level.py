import asyncio
import logging

import pytest

from gateway.ops.log_level import LogLevel


@pytest.fixture
async def level():
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.WARNING)
    it = LogLevel()
    yield it
    it.aclose()
    root.setLevel(before)


async def test_a_change_for_a_time_goes_back(level) -> None:
    level.set("debug", 0.02)
    assert logging.getLogger().level == logging.DEBUG
    assert level.shown()["usual"] == "warning"
    async with asyncio.timeout(5):
        while logging.getLogger().level != logging.WARNING:  # noqa: ASYNC110  # a level tells nobody
            await asyncio.sleep(0.005)
    assert level.shown() == {"level": "warning", "usual": "warning"}


async def test_a_change_for_good_stays_and_ends_one_for_a_time(level) -> None:
    level.set("debug", 600)
    assert 590 < level.shown()["seconds_left"] <= 600
    level.set("error", None)
    assert level.shown() == {"level": "error", "usual": "error"}


async def test_another_setting_holds_at_once_or_once_a_change_for_a_time_is_over(level) -> None:
    level.adopt("error")
    assert level.shown() == {"level": "error", "usual": "error"}
    level.set("debug", 0.02)
    level.adopt("info")
    assert logging.getLogger().level == logging.DEBUG
    async with asyncio.timeout(5):
        while logging.getLogger().level != logging.INFO:  # noqa: ASYNC110  # a level tells nobody
            await asyncio.sleep(0.005)
