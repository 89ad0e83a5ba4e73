"""Plugin distributions for tests, written to a folder as an installer would and found through their metadata."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest

ACME = (Path(__file__).parent / "acme.py").read_text()

Install = Callable[..., tuple[EntryPoint, ...]]


class Plugins:
    """A folder of installed distributions."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        monkeypatch.syspath_prepend(folder)

    def install(
        self, distribution: str, type: str = "acme", source: str = ACME, name: str = "Acme"
    ) -> None:
        module = distribution.replace("-", "_")
        (self.folder / f"{module}.py").write_text(source)
        info = self.folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[airlock.connectors]\n{type} = {module}:{name}\n")
        self.monkeypatch.delitem(sys.modules, module, raising=False)

    def entries(self) -> tuple[EntryPoint, ...]:
        found = distributions(path=[str(self.folder)])
        return tuple(entry for distribution in found for entry in distribution.entry_points)

    def imported(self, distribution: str) -> bool:
        return distribution.replace("-", "_") in sys.modules
