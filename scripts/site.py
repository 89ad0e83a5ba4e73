"""Hooks of the documentation's site: pages that stand elsewhere in the tree, and links as GitHub reads them."""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]

#: What is outside of docs/ and belongs to the site, and where it is there.
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "RELEASING.md": "releasing.md",
    "SECURITY.md": "security-policy.md",
    "LICENSE": "LICENSE",
    "connectors.yaml": "connectors.yaml",
    "examples/README.md": "examples/index.md",
    "examples/line/README.md": "examples/line.md",
    "examples/telegram/README.md": "examples/telegram.md",
}
_HOME = {place: source for source, place in ELSEWHERE.items()}

_LINK = re.compile(r"(!?\[[^\]]*\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_BELOW_A_NUMBER = re.compile(r"^   (?=\S)", re.MULTILINE)
_LISTING = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add what is elsewhere."""
    for source, place in ELSEWHERE.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """The page as this site needs it: links to where things are here, lists as Python-Markdown reads them."""
    place = page.file.src_uri
    source = _HOME.get(place, f"docs/{place}")
    parts = _LISTING.split(markdown)  # every second one is a listing
    relinked = _relinked(source, place)
    parts[::2] = [_BELOW_A_NUMBER.sub("    ", _LINK.sub(relinked, part)) for part in parts[::2]]
    parts[1::2] = [_indented(part) for part in parts[1::2]]
    return "".join(parts)


def _indented(listing: str) -> str:
    """A listing below a number, a blank further in: GitHub takes three, Python-Markdown wants four."""
    return re.sub(r"^(?=.)", " ", listing, flags=re.MULTILINE) if listing[0] == " " else listing


def _is_source_code(named: str) -> bool:
    """Whether a link leads to a file that the site does not have: its text is shown without the link."""
    return named not in ELSEWHERE and not named.startswith("docs/") and (ROOT / named).is_file()


def _relinked(source: str, place: str) -> Any:
    def relinked(found: re.Match[str]) -> str:
        before, target, anchor = found[1], found[2], found[3] or ""
        named = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if _is_source_code(named):
            return before.removeprefix("[").removesuffix("](")
        there = ELSEWHERE.get(named, named.removeprefix("docs/"))
        return f"{before}{posixpath.relpath(there, posixpath.dirname(place) or '.')}{anchor})"

    return relinked
