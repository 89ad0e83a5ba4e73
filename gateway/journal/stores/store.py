"""What each part of the journal builds on: an engine that runs operations in transactions."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from gateway.identifiers import Identifiers
from gateway.journal.operations.outbox import Outbox
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import NOBODY, Informed, Recorded

T = TypeVar("T")
R = TypeVar("R", bound=Recorded | None)


class Store(ABC):
    """A part of the journal. The engine decides how transactions run."""

    ids: Identifiers
    informed: Informed = NOBODY
    _outbox: Outbox

    @abstractmethod
    async def _read(self, query: Callable[[Transaction], T]) -> T:
        """Run `query`; all its statements see the same snapshot of the journal."""

    @abstractmethod
    def _submit(self, operation: Callable[[Transaction], T]) -> "asyncio.Future[T]":
        """Run `operation` in the next transaction; its changes are undone if it raises.

        The future completes once the transaction is durable. The operation may run more than once; then what it did
        before is undone.
        """

    @abstractmethod
    def _announce(self, operation: Callable[[Transaction], R]) -> "asyncio.Future[R]":
        """Run `operation` like `_submit`, and announce its result, if any, before the future completes."""
