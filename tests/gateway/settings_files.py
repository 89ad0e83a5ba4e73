"""A helper that writes settings to a file and loads it."""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest

from gateway.settings import ConfigError, Mistake, Settings, load


class SettingsFile:
    """A connectors.yaml in its own folder."""

    def __init__(self, folder: Path, entries: Sequence[EntryPoint] | None = ()) -> None:
        self.path = folder / "connectors.yaml"
        self.entries = entries

    def load(self, text: str, environ: Mapping[str, str] | None = None) -> Settings:
        self.path.write_text(dedent(text))
        return load(self.path, environ or {}, self.entries)

    def mistakes(self, text: str, environ: Mapping[str, str] | None = None) -> tuple[Mistake, ...]:
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ)
        return caught.value.mistakes

    def lines(self, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
        """Return each mistake as it is shown, without the folder."""
        folder = f"{self.path.parent}/"
        return [str(mistake).removeprefix(folder) for mistake in self.mistakes(text, environ)]
