"""Planted bugs: what the conformance kit finds of the mistakes that authors of connectors make.

    python scripts/planted_bugs.py                     every bug of tests/connectors/bugs.py
    python scripts/planted_bugs.py --only whatsapp     those of one platform

Each bug is tried twice: with the right recordings, and with recordings made by the connector with the bug in.
"""

import argparse
import importlib
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
#: Parts of the names of slow tests, which run last.
_SLOW = ("damaged", "costs", "null", "neighbours")


def found(name: str) -> tuple[str, str | None, str | None]:
    """The lines with which the kit finds a bug: with right recordings, and with those made by the bug."""
    sys.path.insert(0, str(ROOT))
    bug = _load("bugs").PLANTED[name]
    suites: dict[str, Any] = {
        key.removeprefix("Test").lower(): suite
        for key, suite in vars(_load("test_conformance")).items()
        if key.startswith("Test")
    }
    suite = _load("planting").planted(suites[bug.platform], bug.module, bug.before, bug.after)
    with tempfile.TemporaryDirectory() as folder:
        own = _load("rerecorded").rerecorded(suite, Path(folder))
        return name, _first_line(suite), _first_line(own)


def _first_line(suite: Any) -> str | None:
    run = _load("kit_run")
    for test in sorted(run.TESTS, key=lambda one: any(part in one for part in _SLOW)):
        said = run.failures(suite, [test])
        if said:
            return f"{test}: {said[test]}"
    return None


def _load(name: str) -> Any:
    return importlib.import_module(f"tests.connectors.{name}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Planted bugs, and whether the kit finds them.")
    parser.add_argument("--only", default="", help="the platform, or the beginning of a name")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    chosen = [
        name
        for name, bug in _load("bugs").PLANTED.items()
        if bug.platform == options.only or name.startswith(options.only)
    ]
    right = own = 0
    with ProcessPoolExecutor(options.workers) as pool:
        for name, by_right, by_own in pool.map(found, chosen):
            right += by_right is not None
            own += by_own is not None
            print(f"{name}\n  right recordings: {by_right or 'not found'}"[:240])
            print(f"  own recordings:   {by_own or 'not found'}"[:240], flush=True)
    print(f"score with right recordings: {right} of {len(chosen)} bugs found")
    print(f"score with recordings made by the bug: {own} of {len(chosen)} bugs found")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
