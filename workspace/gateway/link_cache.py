"""Short-lived links to media, fetched when a browser asks, kept until shortly before they expire.

The browser only ever sees addresses of the workspace, which answer with a redirect to a fresh link: it
never holds the API token, and a page that stays open for hours still shows its pictures.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from workspace.settings import origin
from workspace.timestamps import parse_timestamp

from .client import GatewayClient, GatewayError

#: A link handed out must live long enough for the browser to follow it.
_SPARE_MILLISECONDS = 30_000

#: Links of this many attachments are remembered; the rest are asked for again.
_REMEMBERED = 5_000


@dataclass(frozen=True, slots=True)
class Links:
    addresses: Mapping[str, str]
    expires_at: int


class LinkCache:
    """`assign(attachment)` tells the gateway again who is assigned, for when it has forgotten."""

    def __init__(self, gateway: GatewayClient, assign: Callable[[str], Awaitable[None]]) -> None:
        self._gateway = gateway
        self._assign = assign
        self._shelf: dict[tuple[str, str], asyncio.Task[Links]] = {}

    async def link(self, attachment: str, rendition: str, agent: str) -> str | None:
        """An address that is good for this agent now; None when there is no such rendition."""
        links = await self._links(attachment, agent)
        address = links.addresses.get(rendition)
        if address is None:
            # It may have become ready after we asked.
            self.forget(attachment)
            address = (await self._links(attachment, agent)).addresses.get(rendition)
        return address

    def forget(self, attachment: str | None = None) -> None:
        """Drop what is kept about an attachment, or everything, as after a change of assignment."""
        self._shelf = {
            key: task
            for key, task in self._shelf.items()
            if attachment is not None and key[0] != attachment
        }

    async def _links(self, attachment: str, agent: str) -> Links:
        key = (attachment, agent)
        task = self._shelf.pop(key, None)
        if task is None or _spent(task):
            # One question for thumbnail, poster and video, though a browser asks for all three at once.
            task = asyncio.create_task(self._ask(attachment, agent))
        self._shelf[key] = task
        while len(self._shelf) > _REMEMBERED:
            del self._shelf[next(iter(self._shelf))]
        return await asyncio.shield(task)

    async def _ask(self, attachment: str, agent: str) -> Links:
        try:
            answer = await self._gateway.links(attachment, agent)
        except GatewayError as trouble:
            if trouble.status != 403:
                raise
            await self._assign(attachment)
            answer = await self._gateway.links(attachment, agent)
        found = answer.get("links") or {}
        addresses = {str(name): str(address) for name, address in found.items()}
        try:
            for address in addresses.values():
                origin(address)
        except ValueError as strange:
            raise GatewayError(502, "The gateway gave a link that is none.", {}) from strange
        return Links(addresses, parse_timestamp(answer.get("expires_at"), 0))


def _spent(task: asyncio.Task[Links]) -> bool:
    if not task.done():
        return False
    if task.cancelled() or task.exception() is not None:
        return True
    return task.result().expires_at < time.time() * 1000 + _SPARE_MILLISECONDS
