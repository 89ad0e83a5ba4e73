"""Tracebacks for logs: which errors occurred and where, without the words of those that may quote somebody.

An error's text often holds the value that caused it: a header that the HTTP parser refused, a customer's text that is
no number. Masking cannot recognise such a value as private, so the text is left out.
"""

from collections.abc import Iterator
from traceback import extract_tb

#: The database's errors tell their cause in words of their own, as the system's do, and operators need them.
_DATABASE = "sqlite3"

#: Errors of a chain that are shown, and places of each.
_MOST_ERRORS = 8
_MOST_PLACES = 60


def describe(error: BaseException) -> str:
    """Return the error with its causes, the first cause first, as Python orders them."""
    shown = [_one(each) for each in _chain(error)]
    return "\n\nwhich led to\n\n".join(reversed(shown))


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(_MOST_ERRORS):
        if current is None:
            return
        yield current
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)


def _one(error: BaseException) -> str:
    places = extract_tb(error.__traceback__, limit=-_MOST_PLACES)
    lines = [f'  File "{place.filename}", line {place.lineno}, in {place.name}' for place in places]
    return "\n".join(["Traceback (most recent call last):", *lines, _summary(error)])


def _summary(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in {"builtins", "__main__"}:
        name = f"{kind.__module__}.{name}"
    if isinstance(error, BaseExceptionGroup):
        return f"{name}: {', '.join(type(each).__name__ for each in error.exceptions[:20])}"
    own_words = isinstance(error, OSError) or kind.__module__ == _DATABASE
    return f"{name}: {error}" if own_words else name
