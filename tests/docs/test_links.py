"""Every relative link on the pages leads to a file, and every #anchor to a heading."""

from pathlib import Path

import pytest

from .pages import PAGES, ROOT, anchors, links, name_of


def _relative() -> list[tuple[Path, str]]:
    return [
        (page, target)
        for page in PAGES
        for target in links(page)
        if not target.startswith(("https://", "http://", "mailto:"))
    ]


@pytest.mark.parametrize(
    ("page", "target"), _relative(), ids=lambda value: str(value).removeprefix(str(ROOT))
)
def test_a_relative_link_has_a_target(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    assert found.is_relative_to(ROOT)
    assert found.exists(), f"{name_of(page)} links to {target}"
    if anchor:
        assert anchor in anchors(found), (
            f"{name_of(page)} links to {target}, which has no such heading"
        )


def test_links_to_other_sites_use_https() -> None:
    plain = [target for page in PAGES for target in links(page) if target.startswith("http://")]
    assert plain == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = (target.partition("#")[0] for target in links(page))
        found = {(page.parent / target).resolve() for target in targets if target.endswith(".md")}
        waiting += sorted(found - reached)
    assert set(PAGES) <= reached
