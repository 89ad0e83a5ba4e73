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
_MIN_LIFETIME_MILLISECONDS = 30_000

#: Links of this many attachments are remembered; the rest are asked for again.
_MAX_ENTRIES = 5_000


@dataclass(frozen=True, slots=True)
class Links:
    urls: Mapping[str, str]
    expires_at: int


class LinkCache:
    """`assign(attachment)` tells the gateway again who is assigned, for when it has forgotten."""

    def __init__(self, gateway: GatewayClient, assign: Callable[[str], Awaitable[None]]) -> None:
        self._gateway = gateway
        self._assign = assign
        self._tasks: dict[tuple[str, str], asyncio.Task[Links]] = {}

    async def get_link(self, attachment: str, rendition: str, agent: str) -> str | None:
        """An address that is good for this agent now; None when there is no such rendition."""
        links = await self._get_links(attachment, agent)
        url = links.urls.get(rendition)
        if url is None:
            # It may have become ready after we asked.
            self.invalidate(attachment)
            url = (await self._get_links(attachment, agent)).urls.get(rendition)
        return url

    def invalidate(self, attachment: str | None = None) -> None:
        """Drop what is kept about an attachment, or everything, as after a change of assignment."""
        self._tasks = {
            key: task
            for key, task in self._tasks.items()
            if attachment is not None and key[0] != attachment
        }

    async def _get_links(self, attachment: str, agent: str) -> Links:
        key = (attachment, agent)
        task = self._tasks.pop(key, None)
        if task is None or _is_expired(task):
            # One question for thumbnail, poster and video, though a browser asks for all three at once.
            task = asyncio.create_task(self._fetch(attachment, agent))
        self._tasks[key] = task
        while len(self._tasks) > _MAX_ENTRIES:
            del self._tasks[next(iter(self._tasks))]
        return await asyncio.shield(task)

    async def _fetch(self, attachment: str, agent: str) -> Links:
        try:
            response = await self._gateway.get_links(attachment, agent)
        except GatewayError as exc:
            if exc.status != 403:
                raise
            await self._assign(attachment)
            response = await self._gateway.get_links(attachment, agent)
        found = response.get("links") or {}
        urls = {str(name): str(url) for name, url in found.items()}
        try:
            for url in urls.values():
                origin(url)
        except ValueError as exc:
            raise GatewayError(
                502, "The gateway returned a link that is not a web address.", {}
            ) from exc
        return Links(urls, parse_timestamp(response.get("expires_at"), 0))


def _is_expired(task: asyncio.Task[Links]) -> bool:
    if not task.done():
        return False
    if task.cancelled() or task.exception() is not None:
        return True
    return task.result().expires_at < time.time() * 1000 + _MIN_LIFETIME_MILLISECONDS
