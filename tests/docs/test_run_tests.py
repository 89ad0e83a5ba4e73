"""What `make test` does with tests that fail: a few run again, alone; a defect stays a failure."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "run_tests.py"
DISTURBED = """
from pathlib import Path
def test_disturbed():
    seen = Path(__file__).with_name("seen")
    is_first = not seen.exists()
    seen.touch()
    assert not is_first
"""


def run(folder: Path, content: str) -> tuple[int, str]:
    (folder / "test_some.py").write_text(content)
    command = [sys.executable, str(SCRIPT), "-q", "-p", "no:asyncio"]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return found.returncode, found.stdout


def test_a_disturbed_test_passes_alone_and_is_named(tmp_path: Path) -> None:
    status, output = run(tmp_path, DISTURBED)
    assert status == 0
    assert output.count("1 failed") == 2
    assert "These passed only alone" in output
    assert output.rstrip().endswith("test_some.py::test_disturbed")


def test_a_defect_stays_a_failure(tmp_path: Path) -> None:
    status, output = run(tmp_path, DISTURBED + "def test_defect():\n    assert False\n")
    assert status == 1
    assert "run once more" in output
    assert "passed only alone" not in output
