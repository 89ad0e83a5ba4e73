"""Fixtures of the gateway's tests: the journal's engines."""

from collections.abc import Iterator

import pytest

from tests.gateway.engines import Engine, Postgresql, Sqlite
from tests.postgresql import Server, server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """One server for all tests of this process."""
    with server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine of the journal, one after the other."""
    if request.param == "sqlite":
        return Sqlite()
    return Postgresql(request.getfixturevalue("postgresql"))
