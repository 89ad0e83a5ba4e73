"""No file of the gateway names a platform, so that plugins are treated like built-in connectors."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import gateway

FOLDER = Path(gateway.__file__).parent
FILES = sorted(file for file in FOLDER.rglob("*") if file.suffix in {".py", ".template", ".json"})

#: The built-in types, and other names of their platforms. `web` is a word of HTTP, and the server of its platform is
#: ours: the gateway starts it.
NAMES = {
    *(entry.name for entry in entry_points(group="airlock.connectors") if entry.name != "web"),
    *("facebook", "fbcdn", "fbsbx", "graph api", "icloud", "imessage", "meta's", "twiml", "wamid"),
}
_NAMED = re.compile(rf"(?<![a-z])({'|'.join(map(re.escape, sorted(NAMES)))})", re.IGNORECASE)


def test_the_search_covers_the_built_in_platforms() -> None:
    assert {"apple", "instagram", "messenger", "twilio", "whatsapp"} <= NAMES
    assert len(FILES) > 50


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(FOLDER).as_posix())
def test_no_gateway_file_names_a_platform(file: Path) -> None:
    found = [line.strip() for line in file.read_text().splitlines() if _NAMED.search(line)]
    assert found == []
