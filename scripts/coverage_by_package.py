"""Print the covered share of each package and fail below the floor.

coverage json -o coverage.json && python scripts/coverage_by_package.py coverage.json --floor 85
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path


def package_of(file: str) -> str:
    """The first two levels: `gateway/journal`, or `gateway` for a module directly below it."""
    parts = Path(file).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, help="the output of `coverage json`")
    parser.add_argument("--floor", type=float, default=0.0, help="percent that all must reach")
    arguments = parser.parse_args()
    report = json.loads(arguments.report.read_text("utf-8"))
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for file, found in report["files"].items():
        summary = found["summary"]
        counted = counts[package_of(file)]
        counted[0] += summary["covered_lines"] + summary.get("covered_branches", 0)
        counted[1] += summary["num_statements"] + summary.get("num_branches", 0)
    for package, (covered, total) in sorted(counts.items()):
        print(f"{package:32} {100 * covered / max(total, 1):5.1f} %  of {total:6}")
    whole = report["totals"]["percent_covered"]
    print(f"{'all':32} {whole:5.1f} %")
    if whole < arguments.floor:
        print(f"the covered share is below the floor of {arguments.floor} %", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
