"""A package made from a page's listings, with files and metadata as if it were installed."""

import sys
import tomllib
from collections.abc import Mapping
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

import pytest


class Installed:
    """A package in `folder`, which is first on sys.path while the test runs."""

    def __init__(
        self, folder: Path, content: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.folder = folder
        for name, text in content.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        own = {Path(name).parts[0].removesuffix(".py") for name in content} - {"tests"}
        for module in [name for name in sys.modules if name.partition(".")[0] in own]:
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.syspath_prepend(folder)
        if "pyproject.toml" in content:
            self._write_metadata(content["pyproject.toml"])

    def entries(self) -> tuple[EntryPoint, ...]:
        found = distributions(path=[str(self.folder)])
        return tuple(entry for distribution in found for entry in distribution.entry_points)

    def _write_metadata(self, pyproject: str) -> None:
        """Write the metadata that an installer writes beside a package."""
        project = tomllib.loads(pyproject)["project"]
        info = self.folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        groups = project["entry-points"].items()
        lines = [
            line
            for group, entries in groups
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
