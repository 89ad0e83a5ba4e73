"""Agents' texts, in any engine."""

from functools import partial
from typing import Any

from gateway.journal.interface import AgentTextJournal
from gateway.journal.operations import agent_texts, receipts
from gateway.journal.records import NO_CAUSE, AgentText, Cause, Recipient, Situation

from .store import Store


class AgentTextStore(Store, AgentTextJournal):
    """The part of the journal that keeps agents' texts."""

    async def situation(self, conversation: str) -> Situation | None:
        return await self._read(partial(agent_texts.situation, conversation=conversation))

    async def agent_text(self, id: str) -> dict[str, Any] | None:
        return await self._read(partial(agent_texts.find, id=id))

    async def accept_text(self, new: AgentText) -> bool:
        recorded = await self._announce(partial(agent_texts.accept, new=new))
        return recorded.new_parts

    async def trying(self, text: int, position: int) -> Recipient | None:
        return await self._submit(partial(agent_texts.trying, outgoing=text, position=position))

    async def part_is_open(self, text: int, position: int) -> bool:
        return await self._read(partial(agent_texts.is_open, outgoing=text, position=position))

    async def postpone_part(self, text: int, position: int, due: int) -> None:
        await self._submit(partial(agent_texts.postpone, outgoing=text, position=position, due=due))

    async def settle_part(
        self,
        text: int,
        position: int,
        state: str,
        *,
        platform_id: str | None = None,
        cause: Cause = NO_CAUSE,
    ) -> None:
        await self._announce(
            lambda c: receipts.ReceiptTracker(c, self.ids, self._outbox).settle(
                text, position, state, platform_id=platform_id, cause=cause
            )
        )
