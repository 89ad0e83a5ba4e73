"""Prints the grade of each tested connector at the end of a pytest run."""

from typing import Any

import pytest

from .grades import GRADES, GradeChecks

NAME = "connector-grades"


class Report:
    """Pytest plugin that collects the results of each test class. The first class that is collected registers it."""

    def __init__(self) -> None:
        self._suites: dict[str, type[GradeChecks]] = {}
        self._passed: dict[str, set[str]] = {}
        self._failed: dict[str, set[str]] = {}

    def examine(self, node: str, subject: type[GradeChecks]) -> None:
        self._suites[node] = subject

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        node, _, name = report.nodeid.partition("[")[0].rpartition("::")
        if node in self._suites:
            results = self._failed if report.failed else self._passed
            if report.failed or (report.passed and report.when == "call"):
                results.setdefault(node, set()).add(name)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._suites:
            terminalreporter.section("grades of connectors")
        for node, subject in self._suites.items():
            for line in self._lines(node, subject):
                terminalreporter.write_line(line)

    def _lines(self, node: str, subject: type[GradeChecks]) -> list[str]:
        name = f"{subject.connector.name} ({subject.connector.label})"
        failed, passed = self._failed.get(node, set()), self._passed.get(node, set())
        left_out = promises(subject) - failed - passed
        if failed:
            return [f"{name}: no grade, {len(failed)} tests failed"]
        if left_out:
            return [f"{name}: no grade, {len(left_out)} tests did not run"]
        reached = subject().reached()
        shown = GRADES[: GRADES.index(reached) + 2]
        rules = [
            f"  {grade:8}  {line}"
            for grade in shown
            for outcome in subject().outcomes(grade)
            for line in outcome.lines()
        ]
        return [f"{name}: {reached}", *rules]


def promises(subject: type[GradeChecks]) -> set[str]:
    return {name for name in dir(subject) if name.startswith("test_")}


def report(config: pytest.Config) -> Report:
    """The report of this pytest run."""
    manager = config.pluginmanager
    found = manager.get_plugin(NAME)
    if not isinstance(found, Report):
        found = Report()
        manager.register(found, NAME)
    return found
