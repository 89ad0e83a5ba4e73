"""Each promise of the kit is one test with one line, and every assertion has words."""

import ast
from pathlib import Path

import pytest

import connectors.kit
from connectors.kit.promises import MAY_BE_EXEMPT, promise
from connectors.recordings import Recording

from .kit_run import TESTS

KIT = Path(connectors.kit.__file__).parent


class Subject:
    exempt: dict[str, str] = {}  # noqa: RUF012 - as an author writes it
    recorded = tuple(
        Recording(name, {}) for name in ("first", "second", "third", "fourth", "fifth")
    )


def line(check: object, subject: Subject | None = None) -> str:
    with pytest.raises(pytest.fail.Exception) as failure:
        promise(check)(subject or Subject())  # type: ignore[arg-type]  # any function
    assert not failure.value.pytrace
    return str(failure.value)


def test_one_fault_in_all_recordings_is_one_line() -> None:
    def test_always(self: Subject, recording: Recording) -> None:
        raise AssertionError("the text is lost; read it")

    assert line(test_always) == (
        "first: the text is lost; read it (and 4 more: second, third, fourth…)"
    )


def test_parameters_become_cases_of_one_test() -> None:
    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_odd(self: Subject, number: int) -> None:
        if number != 2:
            raise AssertionError(f"{number} is odd; use 2")

    assert line(test_odd) == "1 is odd; use 2 (and 1 more: 3)"


def test_an_exception_names_itself_and_its_place() -> None:
    def test_raises(self: Subject) -> None:
        raise KeyError("text")

    said = line(test_raises)
    assert said.startswith("KeyError: 'text', raised at test_promises.py:")
    assert "read_each" in said


def test_only_listed_tests_can_be_exempt() -> None:
    def test_verify_refuses_an_old_proof(self: Subject) -> None:
        raise AssertionError("old")

    def test_a_text_is_lost(self: Subject) -> None:
        raise AssertionError("lost")

    class Exempt(Subject):
        exempt = {  # noqa: RUF012 - as an author writes it
            "verify_refuses_an_old_proof": "its tokens do not expire",
            "a_text_is_lost": "because I say so",
        }

    promise(test_verify_refuses_an_old_proof)(Exempt())
    assert line(test_a_text_is_lost, Exempt()) == "lost"
    assert {f"test_{name}" for name in MAY_BE_EXEMPT} <= TESTS.keys()


def test_every_assertion_of_the_kit_has_words() -> None:
    for file in KIT.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Assert):
                assert node.msg is not None, f"{file.name}:{node.lineno}"
