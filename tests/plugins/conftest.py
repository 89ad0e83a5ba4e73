"""The two examples, installed once for all tests in this folder."""

from pathlib import Path

import pytest

from .installing import EXAMPLES, install


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("site"), *EXAMPLES.values())
