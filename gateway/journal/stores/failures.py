"""Failures, in any engine."""

from functools import partial
from typing import Any

from gateway.journal.interface import FailureJournal
from gateway.journal.operations import failures
from gateway.journal.records import FailedDelivery

from .store import Store


class FailureStore(Store, FailureJournal):
    """The part of the journal that lists failures."""

    async def failures(self, limit: int) -> list[dict[str, Any]]:
        return await self._read(partial(failures.listed, limit=limit))

    async def retriable_failures(self) -> list[str]:
        return await self._read(failures.retriable)

    async def failed_delivery(self, id: str) -> FailedDelivery | None:
        return await self._read(partial(failures.delivery, id=id))

    async def settle_failure(self, id: str, reason: str | None) -> None:
        await self._submit(partial(failures.settle, id=id, reason=reason))
