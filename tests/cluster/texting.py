"""An agent who answers in random conversations; no text may reach its consumer twice."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping

import aiohttp

from tests.torture.core import UnreliableCore
from tests.torture.platforms import FaultyPlatform

from .front import Front


class TextingAgent:
    def __init__(self, front: Front, core: UnreliableCore, dice: random.Random) -> None:
        self._front, self._core, self._dice = front, core, dice
        #: The texts of requests that were accepted, by the id of the message.
        self.accepted: dict[str, str] = {}
        self._written = 0

    async def run(self, end: asyncio.Event) -> None:
        while not end.is_set():
            await asyncio.sleep(self._dice.uniform(0.1, 0.4))
            events = [e for e in self._core.events if e["type"] == "message.received"]
            candidates = [e["subject"] for e in events if e["source"] != "forgotten"]
            if candidates:
                await self._write(self._dice.choice(candidates))

    async def _write(self, conversation: str) -> None:
        self._written += 1
        text = f"answer number {self._written}."
        path = f"/v1/conversations/{conversation}/messages"
        key = {"idempotency-key": f"key-{self._written}"}
        while True:
            try:
                status, found = await self._front.call(
                    "POST", path, {"text": text, "agent": "anna"}, key
                )
            except (aiohttp.ClientError, TimeoutError):
                status = 503
            if status < 500:
                break
            await asyncio.sleep(0.1)
        if status == 202:
            self.accepted[found["id"]] = text

    async def settled(self, seconds: float) -> None:
        """Wait until the core knows what became of every text."""
        await self._core.until(lambda: not self._open(), seconds)

    def _open(self) -> set[str]:
        settled = {
            event["data"]["message"]["id"]
            for event in self._core.events
            if event["type"] == "message.status"
        }
        return self.accepted.keys() - settled

    def complaints(self, platforms: Mapping[str, FaultyPlatform]) -> list[str]:
        sent = Counter(text.text for platform in platforms.values() for text in platform.sent)
        found = [
            f"a text reached its consumer {n} times: {text}" for text, n in sent.items() if n > 1
        ]
        statuses = {
            event["data"]["message"]["id"]: event["data"]["status"]
            for event in self._core.events
            if event["type"] == "message.status"
        }
        for id, text in self.accepted.items():
            status = statuses.get(id)
            if status is None:
                found.append(f"the core does not know what became of {text}")
            elif status != "failed" and not sent[text]:
                found.append(f"{text} is reported as {status} and was never sent")
        return found
