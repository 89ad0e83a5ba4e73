"""No file of the repository names a developer's machine or a package registry."""

import re
import subprocess
from pathlib import Path

import pytest

from .pages import ROOT

#: Folders to skip if git is not available.
_NOT_OURS = frozenset(
    {
        ".git",
        ".venv",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        "__pycache__",
        "node_modules",
    }
)
_MACHINE = re.compile(
    r"(?<![\w.\-/*{}])/(?:work|root|Users)/|(?<![\w.\-/*{}])/home/[a-z]"
    r"|(?:https?|file)://[^\s\"')]*(?:pypi|simple/|artifactory|devpi|nexus|registry\.)"
    # Each in two pieces, because the test checks this file, too.
    r"|python"
    r"hosted|npm"
    r"js|--(?:extra-)?index"
    r"-url|proxy\.go"
    r"lang"
)


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if _NOT_OURS.isdisjoint(path.parts)]
    return [path for path in found if path.is_file()]


def test_no_file_names_a_machine_or_a_registry() -> None:
    findings = []
    for path in _tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        findings += [f"{path.relative_to(ROOT)}: {found[0]}" for found in _MACHINE.finditer(text)]
    assert findings == []


@pytest.mark.parametrize(
    "line",
    [
        'open("/' + 'root/x")',
        "cd /" + "work/main",
        "see /" + "home/ann/airlock",
        "https://py" + "pi.example/simple/av",
        "pip install --index" + "-url https://mirror.example",
    ],
)
def test_the_check_finds_forbidden_lines(line: str) -> None:
    assert _MACHINE.search(line)


@pytest.mark.parametrize("line", ["/workspace/", "media/worker.py", "docs/work/", "/rooted"])
def test_the_check_ignores_other_lines(line: str) -> None:
    assert _MACHINE.search(line) is None
