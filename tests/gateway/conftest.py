"""Fixtures of the gateway's tests: the journal's engines."""

from collections.abc import AsyncIterator

import pytest

from tests.gateway.engines import Engine, Postgresql, Sqlite
from tests.postgresql import Server


@pytest.fixture
async def on_postgresql(postgresql: Server) -> AsyncIterator[Postgresql]:
    engine = Postgresql(postgresql)
    yield engine
    await engine.close()


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.sqlite), "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine of the journal, one after the other."""
    found: Engine = (
        Sqlite() if request.param == "sqlite" else request.getfixturevalue("on_postgresql")
    )
    return found
