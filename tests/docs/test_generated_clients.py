"""A client that is generated from the OpenAPI description is typed: programs type-check against it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import ROOT

PROGRAM = ROOT / "scripts" / "clients" / "look_up.py"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated package `airlock_client`."""
    folder = tmp_path_factory.mktemp("client")
    source = ROOT / "docs" / "schemas" / "openapi.json"
    target = folder / "airlock_client"
    command = ["generate", "--path", str(source), "--meta", "none", "--output-path", str(target)]
    subprocess.run(
        [sys.executable, "-m", "openapi_python_client", *command], check=True, capture_output=True
    )
    return folder


def test_a_program_type_checks_against_the_generated_client(generated: Path) -> None:
    assert _mistakes(generated, PROGRAM.read_text()) == ""


def test_a_misspelt_key_of_an_answer_is_a_type_error(generated: Path) -> None:
    program = PROGRAM.read_text().replace("event.taken_at for", "event.taken for")

    assert '"MessageEvent" has no attribute "taken"' in _mistakes(generated, program)


def test_every_answer_in_json_has_a_schema() -> None:
    description = json.loads((ROOT / "docs" / "schemas" / "openapi.json").read_text())
    ids = set()
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            ids.add(operation["operationId"])
            assert operation["tags"], (path, method)
            for status, answer in operation["responses"].items():
                content = answer.get("content", {})
                assert "$ref" in answer or all(
                    "schema" in content[kind] for kind in content if "json" in kind
                ), (path, method, status)
    assert len(ids) == sum(len(methods) for methods in description["paths"].values())


def _mistakes(folder: Path, program: str) -> str:
    (folder / "program.py").write_text(program)
    (folder / "mypy.ini").write_text("[mypy]\nstrict = true\n")
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "program.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if result.returncode == 0 else result.stdout + result.stderr
