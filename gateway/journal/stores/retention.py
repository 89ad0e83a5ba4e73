"""Retention and erasure, in any engine."""

from functools import partial

from gateway.journal.interface import RetentionJournal
from gateway.journal.operations import files, retention
from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import Recorded

from .store import Store


class RetentionStore(Store, RetentionJournal):
    """The part of the journal that forgets. How space is returned is the engine's own."""

    async def expire_media(self, before: int) -> int:
        expired = await self._announce(
            lambda c: retention.expire_media(c, self.ids, self._outbox, before)
        )
        return len(expired.entries)

    async def expire_photos_beyond(self, message: int, keep: int) -> None:
        await self._announce(
            lambda c: retention.expire_photos_beyond(c, self.ids, self._outbox, message, keep)
        )

    async def expire_texts(self, texts_before: int, memory_before: int) -> int:
        return await self._submit(lambda c: retention.expire_texts(c, texts_before, memory_before))

    async def erase(self, conversation: str, request_id: str = "") -> bool:
        erase = partial(self._erase, conversation=conversation, request_id=request_id)
        return await self._announce(erase) is not None

    def _erase(
        self, connection: Transaction, conversation: str, request_id: str
    ) -> Recorded | None:
        return retention.erase(connection, conversation, self.informed, request_id)

    async def files_to_delete(self) -> list[str]:
        return await self._read(files.files_to_delete)

    async def files_deleted(self, attachments: list[str]) -> None:
        await self._submit(partial(files.files_deleted, attachments=attachments))
