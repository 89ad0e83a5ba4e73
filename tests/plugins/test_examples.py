"""The plugins in examples/: separate packages that use only the public interface."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .installing import EXAMPLES, run_tests

each = pytest.mark.parametrize("name", EXAMPLES)

#: The standard modules and packages that an example may import.
ALLOWED = {
    "base64",
    "collections",
    "dataclasses",
    "datetime",
    "hashlib",
    "hmac",
    "re",
    "typing",
    "urllib",
    "uuid",
}
PUBLIC = {"connectors", "orjson", "pydantic"}


@each
def test_an_example_passes_its_own_tests_at_gold(name: str, site: Path) -> None:
    output = run_tests(EXAMPLES[name], site)
    assert f"{name} (" in output
    assert "): gold" in output


@each
def test_an_example_imports_only_public_names(name: str) -> None:
    package = EXAMPLES[name] / f"airlock_{name}"
    for file in package.glob("*.py"):
        if not file.name.startswith("emulator"):
            found = set(imported(file))
            assert {one.partition(".")[0] for one in found} <= ALLOWED | PUBLIC, file.name
            assert {one for one in found if one.startswith("connectors")} <= {"connectors"}


@each
def test_an_emulator_imports_nothing_from_its_connector(name: str) -> None:
    for file in (EXAMPLES[name] / f"airlock_{name}").glob("emulator*.py"):
        found = set(imported(file))
        assert not {one for one in found if one.startswith(("connectors", "gateway", "airlock_"))}


@each
def test_the_files_of_an_example_are_short(name: str) -> None:
    for file in (EXAMPLES[name] / f"airlock_{name}").glob("*.py"):
        lines = file.read_text().splitlines()
        own = len(lines) - sum(_lines_of_imports(file))
        assert own <= 160, f"{file.name} has {own} lines without its imports"


@each
def test_the_package_metadata_of_an_example_is_complete(name: str) -> None:
    project = tomllib.loads((EXAMPLES[name] / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"airlock-{name}"
    assert project["dependencies"] == ["airlock-messaging"]
    assert set(project["entry-points"]) == {"airlock.connectors", "airlock.emulators"}
    assert (EXAMPLES[name] / f"airlock_{name}" / "py.typed").is_file()


def imported(file: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, without those of its own package."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def _lines_of_imports(file: Path) -> Iterator[int]:
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield (node.end_lineno or node.lineno) - node.lineno + 1
