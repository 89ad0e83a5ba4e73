"""The gateway knows no platform: nothing in its files names one, so that a plugin is served like a built-in."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import gateway

FOLDER = Path(gateway.__file__).parent
FILES = sorted(file for file in FOLDER.rglob("*") if file.suffix in {".py", ".template", ".json"})

#: The types that come along, and words by which their platforms go besides.
NAMES = {
    *(entry.name for entry in entry_points(group="airlock.connectors")),
    *("facebook", "fbcdn", "fbsbx", "graph api", "icloud", "imessage", "meta's", "twiml", "wamid"),
}
_NAMED = re.compile(rf"(?<![a-z])({'|'.join(map(re.escape, sorted(NAMES)))})", re.IGNORECASE)


def test_the_built_in_platforms_are_looked_for() -> None:
    assert {"apple", "messenger", "twilio", "whatsapp"} <= NAMES
    assert len(FILES) > 50


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(FOLDER).as_posix())
def test_a_file_of_the_gateway_names_no_platform(file: Path) -> None:
    found = [line.strip() for line in file.read_text().splitlines() if _NAMED.search(line)]
    assert found == []
