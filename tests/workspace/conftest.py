from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.workspace.running import RunningWorkspace, run_workspace


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[RunningWorkspace]:
    async with run_workspace(tmp_path) as running:
        yield running
