"""Fixtures of the cluster's tests."""

from collections.abc import Iterator

import pytest

from tests.postgresql import Server, server


@pytest.fixture(scope="session")
def database() -> Iterator[Server]:
    with server() as running:
        yield running
