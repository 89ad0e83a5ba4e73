"""What `make check-scripts` cannot see: a script it passes over, and types that the pages do not have."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

import workspace

FOLDER = Path(workspace.__file__).parent
SCRIPTS = sorted((FOLDER / "static").rglob("*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_asks_for_the_checks_of_its_types(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("// @ts-check\n")
    assert not re.search(r"@ts-(?:ignore|expect-error|nocheck)", text)


def test_elements_have_the_tags_that_scripts_take_them_to_have() -> None:
    declared = (FOLDER / "static" / "elements.d.ts").read_text()
    declared = declared.partition("export interface Elements {")[2].partition("}")[0]
    taken = {
        id: set(re.findall(r'"([^"]+)"', tags))
        for id, tags in re.findall(r'^  "?([\w-]+)"?: (.+);$', declared, re.MULTILINE)
    }
    found = defaultdict(set)
    for page in (FOLDER / "templates").glob("*.html"):
        for tag, id in re.findall(r'<(\w+)[^>]*?\sid="([^"]+)"', page.read_text()):
            found[id].add(tag)
    assert len(taken) == declared.count(";")
    assert taken == {id: found[id] for id in taken}
