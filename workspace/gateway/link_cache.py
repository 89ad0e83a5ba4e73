"""Cache of short-lived media links, fetched on demand and kept until shortly before they expire.

Pages only contain URLs of the workspace, which redirect to a fresh link. So the browser never holds the API token, and
a page that stays open for hours still shows its pictures.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workspace.settings import origin
from workspace.timestamps import parse_timestamp

from .client import GatewayClient, GatewayError

#: A link must stay valid long enough for the browser to follow it.
_MIN_LIFETIME_MILLISECONDS = 30_000

#: Links are cached for this many pairs of attachment and agent; the oldest are dropped first.
_MAX_ENTRIES = 5_000


@dataclass(frozen=True, slots=True)
class Links:
    urls: Mapping[str, str]
    expires_at: int


class LinkCache:
    """`assign(attachment)` sends the assignment to the gateway again, in case the gateway has lost it."""

    def __init__(self, gateway: GatewayClient, assign: Callable[[str], Awaitable[None]]) -> None:
        self._gateway = gateway
        self._assign = assign
        self._tasks: dict[tuple[str, str], asyncio.Task[Links]] = {}

    async def get_link(self, attachment: str, rendition: str, agent: str) -> str | None:
        """Return a link that is valid for this agent now, or None if the rendition does not exist."""
        links = await self._get_links(attachment, agent)
        url = links.urls.get(rendition)
        if url is None:
            # The rendition may have become ready since the links were fetched.
            self.invalidate(attachment)
            url = (await self._get_links(attachment, agent)).urls.get(rendition)
        return url

    def invalidate(self, attachment: str | None = None) -> None:
        """Drop the links of one attachment, or all links, for example after a change of assignment."""
        self._tasks = {
            key: task
            for key, task in self._tasks.items()
            if attachment is not None and key[0] != attachment
        }

    async def _get_links(self, attachment: str, agent: str) -> Links:
        key = (attachment, agent)
        task = self._tasks.pop(key, None)
        if task is None or _is_expired(task):
            # The browser asks for thumbnail, poster and video at once. One call to the gateway answers all three.
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
        urls = _named_urls(response)
        try:
            for url in urls.values():
                origin(url)
        except ValueError as exc:
            raise GatewayError(
                502, {"detail": "the gateway returned a link that is not a web address"}
            ) from exc
        return Links(urls, parse_timestamp(response.get("expires_at"), 0))


def _named_urls(response: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the links by rendition. The pages of a document come as a list; they are named `page-1` and so on."""
    found = response.get("links") or {}
    pages = response.get("pages") or found.get("pages") or ()
    named = {str(name): str(url) for name, url in found.items() if name != "pages"}
    return named | {f"page-{number}": str(url) for number, url in enumerate(pages, 1)}


def _is_expired(task: asyncio.Task[Links]) -> bool:
    if not task.done():
        return False
    if task.cancelled() or task.exception() is not None:
        return True
    return task.result().expires_at < time.time() * 1000 + _MIN_LIFETIME_MILLISECONDS
