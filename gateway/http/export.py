"""Export: everything held about a person, one JSON object a line."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import orjson

from gateway.journal import Journal
from gateway.media.signed_links import Links, Ticket
from gateway.timestamps import now_ms, rfc3339

from .pages import other_texts, page_names

#: Seconds for which the links to files work: long enough to fetch them all on a slow line.
_LINK_SECONDS = 3600
_PAGE = 100
#: Who the audit says looked at a file, if it was fetched with a link of an export.
EXPORT = "export"

#: Returns what the built-in workspace holds about conversations, for people to read.
FromWorkspace = Callable[[Sequence[str]], Awaitable[list[dict[str, Any]]]]


class Exporter:
    """Collects what is held about a person."""

    def __init__(self, journal: Journal, links: Links, from_workspace: FromWorkspace) -> None:
        self._journal = journal
        self._links = links
        self._from_workspace = from_workspace

    async def lines(self, consumer: str, connector: str | None) -> AsyncIterator[bytes]:
        """Yield the lines of an export; the first says whose it is."""
        conversations = await self._journal.conversations_of(consumer, connector)
        head = {"consumer": consumer, "connector": connector, "conversations": len(conversations)}
        yield _line("export", {**head, "made_at": rfc3339(now_ms())})
        for id in conversations:
            async for line in self._conversation(id):
                yield line
        for found in await self._from_workspace(conversations):
            yield _line("workspace", found)
        for failure in await self._journal.unreadable_with(consumer):
            yield _line("failure", failure)

    async def _conversation(self, id: str) -> AsyncIterator[bytes]:
        found = await self._journal.conversation(id)
        if found is None:
            return  # erased meanwhile
        yield _line("conversation", found)
        after = 0
        while page := await self._journal.all_messages(id, after, _PAGE):
            for key, message in page:
                after = key
                yield _line("message", {"conversation": {"id": id}, **message})
                for attachment in message["attachments"]:
                    yield _line("attachment", self._attachment(message["id"], attachment))
        for text in await self._journal.texts_of(id):
            yield _line("agent_text", text)
        for event in await self._journal.facts_of(id):
            yield _line("event", {"event": orjson.loads(event)})
        before: int | None = None
        while views := await self._journal.views(
            conversation=id, agent=None, since=0, before=before, limit=_PAGE
        ):
            for view in views:
                yield _line("view", view)
            before = views[-1]["number"]

    def _attachment(self, message: str, view: Any) -> dict[str, Any]:
        names = [*view["renditions"], *other_texts(view), *page_names(view)]
        expires = int(time.time()) + _LINK_SECONDS
        links = {
            name: self._links.url(Ticket(view["id"], name, EXPORT, expires, is_export=True))
            for name in names
        }
        return {"message": message, **view, "links": links}


def _line(type: str, content: Any) -> bytes:
    # `type` first, so that a person who reads the file sees what a line is.
    return orjson.dumps({"type": type, **content}, option=orjson.OPT_APPEND_NEWLINE)
