"""Run the tests; up to three that fail beside others run once more, alone.

    python scripts/run_tests.py -n 3 --dist loadfile

Three processes share the processors, so a test of a browser may miss its time for a reason that is not its own.
CPython's own suite does the same (`regrtest --rerun`). Tests that pass only alone are named at the end: they depend on
something that they should wait for, and are to be corrected. A defect fails both times.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: More failures than that come from a defect.
MOST = 3
#: Exit status of pytest if tests ran and some failed.
_FAILED = 1
_LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")


def main(arguments: Sequence[str]) -> int:
    status = _pytest("--cache-clear", *arguments)
    failed = _failed()
    if status != _FAILED or not 0 < len(failed) <= MOST:
        return status
    print(f"\n{len(failed)} failed beside others, and run once more, alone:", *failed, sep="\n  ")
    status = _pytest("-n", "0", *failed)
    if status == 0:
        print("\nThese passed only alone; correct what they depend on:", *failed, sep="\n  ")
    return status


def _failed() -> list[str]:
    return sorted(json.loads(_LAST_FAILED.read_text())) if _LAST_FAILED.exists() else []


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
