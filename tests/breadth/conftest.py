"""The worker that is tested, and pools that use it.

The worker's interpreter is this one, with the Pillow that the tests themselves use, unless `BREADTH_TEST_PYTHON` names
another; `make test-breadth` names one with Pillow-SIMD, and says in `BREADTH_TEST_VERSION` what must be found there.
"""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.breadth.pool import BreadthPool
from gateway.breadth.settings import BreadthSettings

PYTHON = Path(os.environ.get("BREADTH_TEST_PYTHON") or sys.executable)


@pytest.fixture
def settings() -> BreadthSettings:
    return BreadthSettings(python=PYTHON)


@pytest.fixture
async def pool(settings) -> AsyncIterator[BreadthPool]:
    async with BreadthPool(settings) as pool:
        yield pool
