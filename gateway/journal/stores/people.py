"""Look-ups, exports, erasures and taken events, in any engine."""

from abc import abstractmethod
from functools import partial
from typing import Any

from gateway.journal.operations import erasures, lookups, replay, taken
from gateway.journal.operations.transaction import Transaction
from gateway.journal.people import PeopleJournal
from gateway.journal.records import ErasureRequest, Recorded

from .store import Store

#: Conversations whose events are sent again in one transaction, so that other writes do not wait long.
_LANES = 20


class PeopleStore(Store, PeopleJournal):
    """The part of the journal about persons."""

    def _scrub_after_commit(self) -> None:
        """Leave no old content readable after the present transaction, where an engine can do that."""

    @abstractmethod
    def _erase(
        self, connection: Transaction, conversation: str, request_id: str
    ) -> Recorded | None:
        """Erase a conversation in a transaction."""

    @abstractmethod
    async def scrub_free_pages(self) -> None: ...

    async def message_state(self, id: str) -> dict[str, Any] | None:
        return await self._read(partial(lookups.message_state, id=id))

    async def text_by_platform_id(self, platform_id: str) -> dict[str, Any] | None:
        return await self._read(partial(lookups.text_by_platform_id, platform_id=platform_id))

    async def unreadable_with(self, text: str) -> list[dict[str, Any]]:
        return await self._read(partial(lookups.unreadable_with, text=text))

    async def views(
        self,
        *,
        conversation: str | None,
        agent: str | None,
        since: int,
        before: int | None,
        limit: int,
    ) -> list[dict[str, Any]]:
        return await self._read(
            partial(
                lookups.views,
                conversation=conversation,
                agent=agent,
                since=since,
                before=before,
                limit=limit,
            )
        )

    async def conversations_of(self, consumer: str, connector: str | None) -> list[str]:
        return await self._read(
            partial(erasures.conversations_of, consumer=consumer, connector=connector)
        )

    async def all_messages(
        self, conversation: str, after: int, limit: int
    ) -> list[tuple[int, dict[str, Any]]]:
        return await self._read(
            partial(lookups.messages_of, conversation=conversation, after=after, limit=limit)
        )

    async def texts_of(self, conversation: str) -> list[dict[str, Any]]:
        return await self._read(partial(lookups.texts_of, conversation=conversation))

    async def facts_of(self, conversation: str) -> list[bytes]:
        return await self._read(partial(lookups.facts_of, conversation=conversation))

    async def request_erasure(self, new: ErasureRequest) -> None:
        consumer_hash = self.ids.person(new.consumer or "")
        await self._submit(partial(erasures.request, new=new, consumer_hash=consumer_hash))

    async def unfinished_erasures(self) -> list[ErasureRequest]:
        return await self._read(erasures.unfinished)

    async def erase_of(self, erasure: str, conversation: str, request_id: str = "") -> bool:
        def erase(connection: Transaction) -> Recorded | None:
            counted = erasures.count(connection, conversation)
            recorded = self._erase(connection, conversation, request_id)
            if recorded is not None:
                erasures.add_to_receipt(connection, erasure, counted)
            return recorded

        return await self._announce(erase) is not None

    async def forget_traces(self, consumer: str) -> frozenset[bytes]:
        forms = erasures.written_forms(consumer)

        def forget(connection: Transaction) -> Recorded:
            self._scrub_after_commit()
            keys = erasures.forget_traces(connection, forms)
            # The lane without a conversation is read again.
            return Recorded(withdrawn=tuple(keys))

        await self._announce(forget)
        return forms

    async def finish_erasure(self, erasure: str) -> None:
        def forget(connection: Transaction) -> None:
            self._scrub_after_commit()
            erasures.forget_consumer(connection, erasure)

        await self._submit(forget)
        await self.scrub_free_pages()
        # Writing pauses until the log is scrubbed, so that this is written when nothing is left.
        await self._submit(partial(erasures.finish, erasure=erasure))

    async def erasure(self, id: str) -> dict[str, Any] | None:
        return await self._read(partial(erasures.receipt, erasure=id))

    async def erase_attachment(self, message: int, position: int) -> bool:
        def erase(connection: Transaction) -> Recorded | None:
            self._scrub_after_commit()
            return erasures.erase_attachment(connection, self.ids, self._outbox, message, position)

        return await self._announce(erase) is not None

    async def to_forget(self) -> list[str]:
        return await self._read(erasures.to_forget)

    async def forgotten(self, conversations: list[str]) -> None:
        await self._submit(partial(erasures.forgotten, conversations=conversations))

    async def replay(self, since: int, until: int, conversation: str | None) -> int:
        lanes = await self._read(
            partial(replay.lanes_to_replay, since=since, until=until, conversation=conversation)
        )
        count = 0
        for start in range(0, len(lanes), _LANES):
            again = partial(
                replay.replay,
                outbox=self._outbox,
                lanes=lanes[start : start + _LANES],
                since=since,
                until=until,
            )
            count += len((await self._announce(again)).entries)
        return count

    async def expire_taken(self, before: int) -> int:
        return await self._submit(partial(taken.expire, before=before))
