"""The examples, installed once for all tests in this folder."""

import sys
from pathlib import Path

import pytest

from .installing import EXAMPLES, install


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("site"), *EXAMPLES.values())


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the examples importable, as if they had just been installed."""
    monkeypatch.syspath_prepend(site)
    for name in [name for name in sys.modules if name.startswith("airlock_")]:
        monkeypatch.delitem(sys.modules, name)
