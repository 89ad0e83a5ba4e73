"""The simulator can find a connector's mistakes only if it shares no code with it."""

import ast
from pathlib import Path

import simulator

FOLDER = Path(simulator.__file__).parent
OURS = {"connectors", "gateway", "normalizer", "workspace"}


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").partition(".")[0])
    return names


def test_the_simulator_imports_nothing_that_it_checks() -> None:
    files = list(FOLDER.rglob("*.py"))
    assert len(files) > 20
    assert {file.name: imported(file) & OURS for file in files if imported(file) & OURS} == {}
