"""Common parts of all benchmarks: the option `--publish`, tables, the date and the machine."""

import argparse
import os
import platform
import time
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def options(description: str | None) -> argparse.ArgumentParser:
    """Return a command-line parser with `--publish`, to which the caller adds other options."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--publish", action="store_true", help="write the results to docs/benchmarks.md"
    )
    return parser


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def machine() -> str:
    """Return one line with the date and the machine."""
    cores = os.cpu_count()
    day = time.strftime("%Y-%m-%d", time.gmtime())
    return (
        f"Measured {day} on {cores} cores ({platform.machine()}, Linux {platform.release()}), "
        f"Python {platform.python_version()}."
    )


def publish(marker: str, text: str) -> None:
    """Put `text` between `<!-- marker -->` and `<!-- /marker -->` in docs/benchmarks.md.

    Raises ValueError if a marker is missing.
    """
    begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    page = PAGE.read_text()
    if begin not in page or end not in page:
        raise ValueError(f"cannot publish: {PAGE.name} has no {begin} or no {end}; add both")
    before, rest = page.split(begin, 1)
    _, after = rest.split(end, 1)
    PAGE.write_text(f"{before}{begin}\n{text}\n{end}{after}")
