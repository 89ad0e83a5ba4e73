"""Operators who retry attachments and erase conversations while the gateway is being killed."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Protocol

import aiohttp

from simulator import Consumer

from .core import UnreliableCore
from .platforms import BLOCKED, PHOTOS, FaultyPlatform
from .verdict import final_states


class Called(Protocol):
    """A gateway, or what stands before several."""

    async def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]: ...


async def called(gateway: Called, method: str, path: str, body: Any = None) -> int:
    """Make a call, repeat it until the gateway answers, and return the status."""
    while True:
        try:
            status, _ = await gateway.call(method, path, body)
        except (aiohttp.ClientError, TimeoutError):
            status = 503
        if status < 500:
            return status
        await asyncio.sleep(0.1)


class RetryingOperator:
    """Retries attachments that failed; `also` are further reasons for which files that are good may fail."""

    def __init__(
        self,
        gateway: Called,
        core: UnreliableCore,
        dice: random.Random,
        also: Sequence[str] = (),
    ) -> None:
        self._gateway, self._core, self._dice = gateway, core, dice
        self._good = (BLOCKED, *also)
        self.retried: set[str] = set()

    async def run(self, end: asyncio.Event) -> None:
        while not end.is_set():
            await asyncio.sleep(self._dice.uniform(0.3, 1.0))
            failed = self._failed(*self._good, "gone")
            if failed:
                await self._retry(self._dice.choice(failed))

    async def retry_all(self) -> None:
        """Retry all attachments whose second attempt succeeds, until they have succeeded."""
        async with asyncio.timeout(60):
            while failed := self._failed(*self._good):
                for id in failed:
                    await self._retry(id)
                await self._core.until(lambda: not self._failed(*self._good), 2)

    async def settled(self) -> None:
        """Wait until all retried attachments have ended; the core receives no event when a retry starts."""
        for id in self.retried:
            state = "pending"
            while state == "pending":
                status, shown = await self._gateway.call("GET", f"/v1/attachments/{id}")
                state = shown["state"] if status == 200 else "erased"
                await asyncio.sleep(0.1 if state == "pending" else 0)

    def _failed(self, *reasons: str) -> list[str]:
        states = final_states(self._core.events)
        return [id for id, attachment in states.items() if attachment["reason"] in reasons]

    async def _retry(self, id: str) -> None:
        status = await called(self._gateway, "POST", f"/v1/attachments/{id}/retry")
        # 404: its conversation was erased meanwhile; 409: its message was deleted, or it cannot be fetched again.
        assert status in {202, 404, 409}, status
        self.retried.add(id)


class ErasingOperator:
    """Starts conversations with a photo and erases them; no trace of them may remain."""

    def __init__(
        self,
        connector: str,
        platform: FaultyPlatform,
        gateway: Called,
        core: UnreliableCore,
    ) -> None:
        self._connector, self._platform = connector, platform
        self._gateway, self._core = gateway, core
        self.erased: set[str] = set()

    async def run(self, end: asyncio.Event) -> None:
        number = 0
        while not end.is_set():
            number += 1
            consumer = Consumer(f"4917{number:08d}", "Nobody")
            await self._platform.send(consumer, "forget me", PHOTOS[:1])
            conversation = await self._until_announced(consumer)
            self.erased.add(conversation)
            await called(self._gateway, "DELETE", f"/v1/conversations/{conversation}")

    async def _until_announced(self, consumer: Consumer) -> str:
        """Return the conversation's id once the core has received it."""

        def known() -> list[str]:
            return [
                str(event["subject"])
                for event in self._core.events
                if event["source"] == self._connector
                and event["data"]["conversation"]["consumer"]["id"] == consumer.id
            ]

        await self._core.until(lambda: bool(known()), 600)
        return known()[0]
