"""What each part of the SQLite journal builds on."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

from .group_commit import GroupWriter

T = TypeVar("T")


class Store(ABC):
    """A part of the journal: it writes with others in group commits, and reads on the reading connection."""

    _writer: GroupWriter

    @abstractmethod
    async def _read(self, query: Callable[[Any], T]) -> T:
        """Run `query` on the reading connection."""
