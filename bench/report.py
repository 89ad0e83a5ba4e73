"""What every measurement has in common: the option `--publish`, tables, when and on what it was measured."""

import argparse
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def options(description: str | None) -> argparse.ArgumentParser:
    """A command line with `--publish`; further options are the caller's to add."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--publish", action="store_true", help="write it to docs/benchmarks.md")
    return parser


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def machine() -> str:
    """The date and the machine, in one line."""
    cores = os.cpu_count()
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return (
        f"Measured {day} on {cores} cores ({platform.machine()}, Linux {platform.release()}), "
        f"Python {platform.python_version()}."
    )


def publish(marker: str, text: str) -> None:
    """Put `text` between `<!-- marker -->` and `<!-- /marker -->`; raises ValueError where they are missing."""
    begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    page = PAGE.read_text()
    if begin not in page or end not in page:
        raise ValueError(f"{PAGE.name} lacks {begin} or {end}")
    before, rest = page.split(begin, 1)
    _, after = rest.split(end, 1)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")
