"""The page about `airlock simulate` lists the emulators' examples, and names what exists."""

import re

import pytest

from simulator import PLATFORMS
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "simulate.md").read_text("utf-8")
TITLES = {
    "whatsapp": "WhatsApp",
    "messenger": "Messenger",
    "instagram": "Instagram",
    "twilio": "Twilio",
    "apple": "Apple",
    "web": "Web",
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_page_lists_every_example_with_its_summary(platform: str) -> None:
    section = PAGE.partition(f"\n## {TITLES[platform]}\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", section, re.MULTILINE)
    assert listed == [(name, e.summary) for name, e in PLATFORMS[platform].examples.items()]


def test_what_the_page_provokes_refusals_with_exists() -> None:
    table = PAGE.partition("## Provoke refusals in a test")[2]
    rows = re.findall(r"^\| (\w+) \| `(\w+)", table, re.MULTILINE)
    kinds = {title: PLATFORMS[name] for name, title in TITLES.items()}
    assert len(rows) > 5
    assert [row for row in rows if not hasattr(kinds[row[0]](), row[1])] == []
