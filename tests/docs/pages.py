"""Parts of the documentation's pages: headings, links, tables and listings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: The pages on writing a connector, in reading order: their listings make one package.
GUIDE = (
    ROOT / "docs" / "connectors.md",
    *(
        ROOT / "docs" / "connectors" / f"{name}.md"
        for name in ("package", "receiving", "sending", "testing", "demo")
    ),
)
PAGES = (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md")))

#: `<!-- file: name -->` before a listing adds it to that file; `<!-- run -->` marks it to be run by a test.
_MARK = re.compile(r"<!-- (?P<word>file|run)(?:: (?P<value>[^ ]+))? -->")
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[a-z]*)$")
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$")


@dataclass(frozen=True)
class Listing:
    """A fenced block, with the mark in the comment before it."""

    page: Path
    line: int
    language: str
    code: str
    word: str | None
    value: str | None

    def __str__(self) -> str:
        return f"{name_of(self.page)}:{self.line}"


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def text_of(page: Path) -> str:
    return page.read_text("utf-8")


@cache
def listings(page: Path) -> tuple[Listing, ...]:
    return tuple(_listings(page))


def _listings(page: Path) -> Iterator[Listing]:
    lines = text_of(page).splitlines()
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is None:
            at += 1
            continue
        end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == "```")
        mark = _MARK.fullmatch(lines[at - 1].strip()) if at else None
        indent = len(fence["indent"])
        code = "\n".join(line[indent:] for line in lines[at + 1 : end]) + "\n"
        word, value = (mark["word"], mark["value"]) if mark else (None, None)
        yield Listing(page, at + 1, fence["language"], code, word, value)
        at = end + 1


def files(*pages: Path) -> dict[str, str]:
    """Return the files that the pages' listings make; listings of the same file are joined."""
    found: dict[str, str] = {}
    for listing in (one for page in pages for one in listings(page)):
        if listing.word == "file" and listing.value is not None:
            gap = "\n" if listing.value in found else ""
            found[listing.value] = found.get(listing.value, "") + gap + listing.code
    return found


def prose(page: Path) -> str:
    """Return the page without its listings."""
    lines = text_of(page).splitlines()
    inside = False
    kept = []
    for line in lines:
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def links(page: Path) -> list[str]:
    return [found["target"] for found in _LINK.finditer(prose(page))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes from a page's headings."""
    headings = (_HEADING.match(line) for line in prose(page).splitlines())
    return {_anchor(found["text"]) for found in headings if found}


def _anchor(heading: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


def section(page: Path, heading: str) -> str:
    """Return the text below a heading, up to the next heading of its level or above; raises LookupError."""
    lines = text_of(page).splitlines()
    rank = len(heading) - len(heading.lstrip("#"))
    try:
        start = lines.index(heading) + 1
    except ValueError:
        raise LookupError(f"{name_of(page)} has no heading {heading!r}") from None
    below = lines[start:]
    ends = (i for i, line in enumerate(below) if re.match(rf"#{{1,{rank}}} ", line))
    return "\n".join(below[: next(ends, len(below))])


def rows(text: str) -> dict[str, tuple[str, ...]]:
    """Return the rows of all tables in a text, by their first cell without its backquotes."""
    found = {}
    for line in text.splitlines():
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            first, *others = (cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|")))
            found[first.strip("`")] = tuple(others)
    return found


def marked(page: Path, name: str) -> str:
    """Return the text between `<!-- name -->` and `<!-- /name -->`; raises LookupError."""
    found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", text_of(page), re.DOTALL)
    if found is None:
        raise LookupError(f"{name_of(page)} has no <!-- {name} --> … <!-- /{name} -->")
    return found[1]
