"""Fixtures of the gateway's tests: the journal's engines."""

import pytest

from tests.gateway.engines import Engine, Postgresql, Sqlite


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine of the journal, one after the other."""
    if request.param == "sqlite":
        return Sqlite()
    return Postgresql(request.getfixturevalue("postgresql"))
