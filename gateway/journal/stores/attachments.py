"""Attachments, in any engine."""

from functools import partial

from gateway.journal.interface import AttachmentJournal
from gateway.journal.operations import attachments
from gateway.journal.records import AttachmentRow, Outcome

from .store import Store


class AttachmentStore(Store, AttachmentJournal):
    """The part of the journal that keeps attachments."""

    async def attachment(self, message: int, position: int) -> AttachmentRow | None:
        return await self._read(partial(attachments.load, message=message, position=position))

    async def find_attachment(self, id: str) -> AttachmentRow | None:
        return await self._read(partial(attachments.find, id=id))

    async def postpone(self, message: int, position: int, due: int, reason: str) -> None:
        await self._submit(
            partial(
                attachments.postpone, message=message, position=position, due=due, reason=reason
            )
        )

    async def name_attachment(self, message: int, position: int, name: str) -> None:
        await self._submit(
            partial(attachments.give_name, message=message, position=position, name=name)
        )

    async def finish(self, message: int, position: int, outcome: Outcome) -> bool:
        finished = await self._announce(
            lambda c: attachments.finish(
                c, self.ids, self._outbox, message, position, outcome, self.informed
            )
        )
        return finished is not None

    async def retry(self, message: int, position: int) -> bool:
        retried = await self._announce(
            partial(attachments.retry, message=message, position=position)
        )
        return retried is not None
