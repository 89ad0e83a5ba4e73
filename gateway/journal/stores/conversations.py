"""Conversations, in any engine."""

from functools import partial
from typing import Any

from gateway.events.messages import ReceivedMessage
from gateway.events.types import ConversationSummary
from gateway.journal.interface import ConversationJournal, NameJournal
from gateway.journal.operations import conversations
from gateway.journal.records import Unnamed

from .store import Store


class ConversationStore(Store, ConversationJournal, NameJournal):
    """The part of the journal that keeps conversations, their messages and views."""

    async def assign(self, conversation: str, agents: tuple[str, ...]) -> bool:
        return await self._submit(partial(conversations.assign, id=conversation, agents=agents))

    async def close_conversation(self, conversation: str, request_id: str = "") -> bool:
        closed = await self._announce(
            lambda c: conversations.close(c, conversation, self.informed, request_id)
        )
        return closed is not None

    async def reopen_conversation(self, conversation: str) -> bool | None:
        return await self._submit(partial(conversations.reopen, id=conversation))

    async def agents_of(self, conversation: str) -> tuple[str, ...] | None:
        return await self._read(partial(conversations.agents_of, id=conversation))

    async def conversation(self, id: str) -> ConversationSummary | None:
        return await self._read(partial(conversations.find, id=id))

    async def conversations(
        self,
        *,
        connector: str | None = None,
        consumer: str | None = None,
        before: str | None = None,
        limit: int,
    ) -> list[ConversationSummary]:
        return await self._read(
            partial(
                conversations.listed,
                connector=connector,
                consumer=consumer,
                before=before,
                limit=limit,
            )
        )

    async def message(self, id: str) -> dict[str, Any] | None:
        return await self._read(partial(conversations.message, id=id))

    async def messages(
        self, conversation: str, after: int, limit: int
    ) -> list[ReceivedMessage] | None:
        return await self._read(
            partial(conversations.messages, id=conversation, after=after, limit=limit)
        )

    async def message_origin(self, id: str) -> tuple[str, str, str, str] | None:
        return await self._read(partial(conversations.origin, id=id))

    async def quotable(self, conversation: str, message: str) -> str | None:
        return await self._read(
            partial(conversations.quotable, conversation=conversation, id=message)
        )

    async def latest_message(self, conversation: str) -> tuple[str, str, str] | None:
        return await self._read(partial(conversations.latest, id=conversation))

    async def record_view(
        self,
        *,
        at: int,
        agent: str,
        attachment: str,
        rendition: str,
        conversation: str,
        part: str | None,
    ) -> None:
        await self._submit(
            partial(
                conversations.record_view,
                at=at,
                agent=agent,
                attachment=attachment,
                rendition=rendition,
                conversation=conversation,
                part=part,
            )
        )

    async def unnamed(self, connector: str, limit: int) -> list[Unnamed]:
        return await self._read(partial(conversations.unnamed, connector=connector, limit=limit))

    async def name_consumer(self, conversation: str, name: str | None) -> bool:
        recorded = await self._announce(
            lambda c: conversations.name_consumer(c, self.ids, self._outbox, conversation, name)
        )
        return bool(recorded.entries)
