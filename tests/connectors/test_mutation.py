"""Mutation testing of the connectors: what is mutated, what is exempt, and what counts as killed."""

import ast
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
MUTANTS = runpy.run_path(str(SCRIPTS / "mutants.py"))


def changed(source: str, folder: Path) -> set[str]:
    """The source of each mutant of a file that reads `source`."""
    file = folder / "module.py"
    file.write_text(source)
    found = set()
    for at in range(len(list(MUTANTS["mutants"](file)))):
        mutant: Any = list(MUTANTS["mutants"](file))[at]
        mutant.apply()
        found.add(ast.unparse(ast.fix_missing_locations(mutant.tree)))
    return found


@pytest.mark.parametrize(
    ("source", "mutants"),
    [
        ("a = b < c", {"a = b <= c"}),
        ("a = b and c", {"a = b or c", "a = b", "a = c"}),
        ("a = not b", {"a = b"}),
        ("a = b + c", {"a = b - c"}),
        ("a = 5", {"a = 6"}),
        ("a = True", {"a = False"}),
        ("a = 'word'", {"a = 'wordx'"}),
        ("a = f'{b}:{c}'", {"a = f'{b}:'", "a = f':{c}'"}),
        ("a = {b: c, **d}", {"a = {**d}", "a = {b: c}"}),
        ("a = {b}", {"a = set()"}),
        ("a = b[c:]", {"a = b"}),
        ("a = b.strip()", {"a = b"}),
        ("a = id_of(b)", {"a = b"}),
        ("a = b(c=d)", {"a = b()"}),
        ("if a:\n    b", {"if not a:\n    b"}),
        ("a = [b for b in c if b]", {"a = [b for b in c if not b]"}),
        ("try:\n    a = b\nexcept E:\n    a = c", {"if 1:\n    a = b"}),
        ("match a:\n    case b if c:\n        d", {"pass", "match a:\n    case b:\n        d"}),
    ],
)
def test_a_mutant_has_one_change(source: str, mutants: set[str], tmp_path: Path) -> None:
    assert changed(source, tmp_path) == mutants


def test_statements_are_dropped_and_functions_return_early(tmp_path: Path) -> None:
    source = "def f(a):\n    g(a)\n    raise E(a)"
    assert changed(source, tmp_path) == {
        "def f(a):\n    return None",
        "def f(a):\n    pass\n    raise E(a)",
        "def f(a):\n    g(a)\n    pass",
    }


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "a: Literal['b', 'c']",
        "def f(a: 'b') -> 'c':\n    pass",
        "label = 'Acme'",
        "a = b('a sentence')",
        "from a import b",
    ],
)
def test_annotations_and_prose_are_not_mutated(source: str, tmp_path: Path) -> None:
    assert {one for one in changed(source, tmp_path) if "x" in one} == set()


def test_the_kit_kills_every_mutant_of_a_security_check() -> None:
    script, file = str(SCRIPTS / "mutate_connectors.py"), "connectors/twilio/media.py"
    lines = (SCRIPTS.parent / file).read_text().splitlines()
    (line,) = (at for at, text in enumerate(lines, 1) if "found is not None and" in text)
    command = [sys.executable, script, "--workers", "2", "--only", f"{file}:{line}"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    killed = [one for one in ran.stdout.splitlines() if one.startswith("killed ")]
    assert len(killed) > 5
    assert "score: 100.0%" in ran.stdout, ran.stdout
