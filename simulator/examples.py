"""Examples of what consumers and platforms do beyond texts and files, for `airlock simulate --example`.

Each platform has a table of its own, in `simulator/<platform>/examples.py`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from .exchange import Consumer, Delivered

#: The first half of a character beyond the basic plane: JSON can escape it alone, although it is not text.
#: Phones that cut a message in the middle of an emoji send it.
HALF_CHARACTER = "\ud83d"

P = TypeVar("P")


class NotPossible(Exception):
    """An example that these settings do not allow; the error says what to set."""


@dataclass(frozen=True, slots=True)
class Example(Generic[P]):
    """Deliveries that belong together: a `summary` of them, and the function that makes and posts them.

    `has_files` is true if the gateway then fetches files from the platform.
    """

    summary: str
    send: Callable[[P, Consumer], Awaitable[list[Delivered]]]
    has_files: bool = False


Examples = Mapping[str, Example[Any]]
