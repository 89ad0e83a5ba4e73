"""Hooks of the documentation's site: add pages from outside docs/, and convert links and lists from GitHub's form."""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]

#: Files outside docs/ that belong to the site, with their paths in the site.
OUTSIDE_DOCS = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "RELEASING.md": "releasing.md",
    "SECURITY.md": "security-policy.md",
    "LICENSE": "LICENSE",
    "connectors.yaml": "connectors.yaml",
    "examples/README.md": "examples/index.md",
    "examples/line/README.md": "examples/line.md",
    "examples/rcs/README.md": "examples/rcs.md",
    "examples/telegram/README.md": "examples/telegram.md",
    "examples/vonage/README.md": "examples/vonage.md",
}
_SOURCE_OF = {place: source for source, place in OUTSIDE_DOCS.items()}

_LINK = re.compile(r"(!?\[[^\]]*\]\()(?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_INDENTED_BY_THREE = re.compile(r"^   (?=\S)", re.MULTILINE)
_LISTING = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add the files from outside docs/."""
    for source, place in OUTSIDE_DOCS.items():
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the page with links to the site's paths, and with lists as Python-Markdown reads them."""
    place = page.file.src_uri
    source = _SOURCE_OF.get(place, f"docs/{place}")
    parts = _LISTING.split(markdown)  # every second part is a listing
    rewrite = _link_rewriter(source, place)
    parts[::2] = [_INDENTED_BY_THREE.sub("    ", _LINK.sub(rewrite, part)) for part in parts[::2]]
    parts[1::2] = [_indent_once_more(part) for part in parts[1::2]]
    return "".join(parts)


def _indent_once_more(listing: str) -> str:
    """Indent a listing in a numbered list by one more space: GitHub needs three, Python-Markdown four."""
    return re.sub(r"^(?=.)", " ", listing, flags=re.MULTILINE) if listing[0] == " " else listing


def _is_source_code(path: str) -> bool:
    """Return whether a link leads to a file that is not in the site: its text is shown without the link."""
    return path not in OUTSIDE_DOCS and not path.startswith("docs/") and (ROOT / path).is_file()


def _link_rewriter(source: str, place: str) -> Any:
    def rewrite(found: re.Match[str]) -> str:
        before, target, anchor = found[1], found[2], found[3] or ""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if _is_source_code(path):
            return before.removeprefix("[").removesuffix("](")
        target_page = OUTSIDE_DOCS.get(path, path.removeprefix("docs/"))
        return f"{before}{posixpath.relpath(target_page, posixpath.dirname(place) or '.')}{anchor})"

    return rewrite
