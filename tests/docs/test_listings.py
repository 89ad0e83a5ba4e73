"""The listings on the pages can be parsed, and those that are marked `run` can be run."""

import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from .pages import GUIDE, PAGES, Listing, files, listings, name_of

ALL = [listing for page in PAGES for listing in listings(page)]

#: Parsers of the pages' data languages; other listings are configurations of other programs, and drawings.
READERS: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}


def _of(*languages: str) -> list[Listing]:
    return [listing for listing in ALL if listing.language in languages]


@pytest.mark.parametrize("listing", _of(*READERS), ids=str)
def test_a_listing_of_data_can_be_parsed(listing: Listing) -> None:
    assert READERS[listing.language](listing.code)


@pytest.mark.parametrize("listing", _of("sh"), ids=str)
def test_a_shell_listing_has_valid_syntax(listing: Listing) -> None:
    checked = subprocess.run(
        ["sh", "-n"], input=listing.code, text=True, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_every_python_listing_is_run_by_a_test() -> None:
    """Marked listings are run: here, or as a file by the test of their page."""
    assert [str(listing) for listing in _of("python") if listing.word is None] == []


@pytest.mark.parametrize(
    "pages",
    [*((page,) for page in PAGES if page not in GUIDE), GUIDE],
    ids=lambda pages: name_of(pages[0]),
)
def test_the_python_files_of_a_page_compile(pages: tuple[Path, ...]) -> None:
    for name, code in files(*pages).items():
        if name.endswith(".py"):
            compile(code, f"{name_of(pages[0])}:{name}", "exec")


@pytest.mark.parametrize("listing", [listing for listing in ALL if listing.word == "run"], ids=str)
def test_a_listing_marked_run_runs(listing: Listing) -> None:
    exec(compile(listing.code, str(listing), "exec"), {"__name__": "listing"})


def test_every_listing_has_a_known_language_or_none() -> None:
    known = {
        *READERS,
        *("", "python", "js", "sh", "sql", "ini", "nginx", "caddy", "html", "swift", "kotlin"),
    }
    assert {listing.language for listing in ALL} <= known
