"""Erasure of persons: everywhere, in the background, until nothing is left; then the receipt says so."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress

import structlog

from gateway.backoff import retry_until_done
from gateway.fault_points import fault_point
from gateway.journal import ErasureRequest, Journal, JournalUnavailable
from gateway.media.storage.interface import StoreUnavailable
from gateway.observability.lines import naming
from gateway.observability.request_ids import current_id

from .retention import RetentionWorker

log = structlog.get_logger(__name__)

#: Seconds between two looks at what is not erased yet.
_EVERY = 5.0

#: Erases conversations in the built-in workspace, durably, and what holds one of the texts outside of conversations.
#: What it does not know counts as erased.
Forget = Callable[[Sequence[str], Collection[bytes]], Awaitable[None]]


class Erasures:
    """Erases persons, conversations and attachments: in the journal, the stored files and the built-in workspace."""

    def __init__(self, journal: Journal, retention: RetentionWorker, forget: Forget) -> None:
        self._journal = journal
        self._retention = retention
        self._forget = forget
        self._asked = asyncio.Event()

    async def request(self, consumer: str, connector: str | None) -> str:
        """Keep the request to erase a person; return its id. It is carried out in the background."""
        id = f"era_{secrets.token_hex(16)}"
        await self._journal.request_erasure(ErasureRequest(id, consumer, connector, current_id()))
        log.info("erasure_requested", erasure=id)
        self._asked.set()
        return id

    async def erase_conversation(self, conversation: str) -> bool:
        """Erase a conversation with all its data, also in the built-in workspace; False if it is unknown."""
        found = await self._journal.conversation(conversation)
        if found is None or not await self._retention.erase(conversation):
            return False
        await self._forget_in_workspace()
        consumer = found["consumer"]
        for address in (consumer["id"], *consumer.get("aliases", ())):
            await self._forget((), await self._journal.forget_traces(address))
        return True

    async def erase_attachment(self, message: int, position: int) -> bool:
        """Erase the files and the name of one attachment; False if it is unknown."""
        if not await self._journal.erase_attachment(message, position):
            return False
        fault_point("after-erase-attachment")
        try:
            await self._journal.scrub_free_pages()
            await self._retention.sweep()
        except (JournalUnavailable, StoreUnavailable) as exc:
            log.error("erased_files_delayed", error=str(exc))
        return True

    async def run(self) -> None:
        """Carry out what was asked for, also by an earlier run, until cancelled."""
        outage = (JournalUnavailable, StoreUnavailable)
        while True:
            await retry_until_done(_EVERY, self._round, outage, "erasures_delayed")

    async def _round(self) -> None:
        self._asked.clear()
        await self._forget_in_workspace()
        for erasure in await self._journal.unfinished_erasures():
            await self._carry_out(erasure)
        with suppress(TimeoutError):
            async with asyncio.timeout(_EVERY):
                await self._asked.wait()

    async def _carry_out(self, erasure: ErasureRequest) -> None:
        with naming(erasure=erasure.id, request_id=erasure.request_id):
            if erasure.consumer is not None:
                await self._erase_everywhere(erasure, erasure.consumer)
            if await self._journal.files_to_delete():
                return  # a file is still being written; the next round deletes it
            await self._journal.finish_erasure(erasure.id)
            log.info("erasure_done")

    async def _erase_everywhere(self, erasure: ErasureRequest, consumer: str) -> None:
        # What was accepted before it was asked for is part of it.
        await self._journal.intake_parsed()
        for conversation in await self._journal.conversations_of(consumer, erasure.connector):
            await self._journal.erase_of(erasure.id, conversation, erasure.request_id)
            fault_point("after-erase-of")
        await self._forget_in_workspace()
        await self._forget((), await self._journal.forget_traces(consumer))
        await self._retention.sweep()

    async def _forget_in_workspace(self) -> None:
        while conversations := await self._journal.to_forget():
            await self._forget(conversations, ())
            fault_point("after-forget-in-workspace")
            await self._journal.forgotten(conversations)
