"""One test for each promise: it tries every recording and every case, and fails with a single line.

A fault that concerns ninety recordings is one fault. The line names the first recording that shows it, says what to
do, and counts the others; there is no traceback through the kit.
"""

import inspect
import itertools
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

#: Seconds after which a promise that is broken is not tried any further.
_PATIENCE = 1.0
#: Names of recordings that are listed after the first one.
_LISTED = 3
#: Characters of a line: a failure may quote a whole delivery.
_LONGEST = 1500
_KIT = Path(__file__).parent
#: The promises that a platform may make impossible, and the sentence that says how to declare it.
MAY_BE_EXEMPT = frozenset(
    {
        "authorization_names_its_scheme",
        "check_makes_a_call_with_our_credentials",
        "verify_refuses_an_old_proof",
    }
)
EXEMPTIBLE = "name this test in `exempt` of the test class, with the reason"

Check = Callable[..., None]


def promise(check: Check) -> Check:
    """Return a test without parameters that runs `check` for each recording and each parametrized value."""

    # Without functools.wraps: pytest would follow `__wrapped__` and ask for the parameters again.
    def test(self: Any) -> None:
        __tracebackhide__ = True
        if exemption(self, check.__name__):
            return
        failures: dict[str, str] = {}
        begin = time.monotonic()
        for label, arguments in _cases(self, check):
            try:
                check(self, **arguments)
            except (Exception, pytest.fail.Exception) as exc:  # noqa: BLE001 - a connector may raise anything
                failures[label] = reason_of(exc)
            if failures and time.monotonic() - begin > _PATIENCE:
                break  # one fault is enough
        if failures:
            pytest.fail(_line(failures), pytrace=False)

    test.__name__, test.__qualname__ = check.__name__, check.__qualname__
    test.__module__, test.__doc__ = check.__module__, check.__doc__
    return test


def exemption(subject: Any, test: str) -> str | None:
    """The reason for which the author exempts a promise, None if they do not or may not."""
    name = test.removeprefix("test_")
    reason = subject.exempt.get(name, "")
    return reason.strip() or None if name in MAY_BE_EXEMPT else None


def reason_of(exc: BaseException) -> str:
    """The words of a failed check, or, for an exception that a connector should not raise, what it is and where."""
    words = str(exc).strip()
    if isinstance(exc, AssertionError | pytest.fail.Exception):
        return words or f"the check at {_place(exc)} failed"
    return (
        f"{type(exc).__name__}: {words[:200] or 'no words'}, raised at {_place(exc)}; a connector may raise only"
        " Forbidden in verify and Rejected in a flow: read entries with read_each, and match the replies you expect"
    )


def _place(exc: BaseException) -> str:
    """Where an exception was raised: the last line outside the kit, or else the last line."""
    frames = traceback.extract_tb(exc.__traceback__)
    outside = [one for one in frames if Path(one.filename).parent != _KIT]
    frame = (outside or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _cases(subject: Any, check: Check) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each combination of a recording and parametrized values, with a name."""
    axes: list[list[tuple[str, str, Any]]] = []
    if "recording" in inspect.signature(check).parameters:
        axes.append([(one.name, "recording", one) for one in subject.recorded])
    for mark in getattr(check, "pytestmark", ()):
        name, values = mark.args[:2]
        axes.append([(f"{value!r:.40}", name, value) for value in values])
    for case in itertools.product(*axes):
        label = " ".join(label for label, _, _ in case)
        yield label, {name: value for _, name, value in case}


def _line(failures: Mapping[str, str]) -> str:
    (label, reason), *others = failures.items()
    named = reason if not label or label in reason else f"{label}: {reason}"
    listed = ", ".join(name for name, _ in others[:_LISTED])
    more = "…" if len(others) > _LISTED else ""
    rest = f" (and {len(others)} more: {listed}{more})" if listed else ""
    return f"{named[:_LONGEST]}{rest}"
