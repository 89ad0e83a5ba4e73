"""Retention and erasure: expires media, texts and deduplication records; erases conversations on request."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.backoff import every
from gateway.fault_points import fault_point
from gateway.journal import Journal, JournalUnavailable
from gateway.media.quarantine import Quarantine
from gateway.media.storage.interface import Store, StoreUnavailable
from gateway.observability.request_ids import current_id
from gateway.timestamps import now_ms

log = structlog.get_logger(__name__)

#: Seconds between two rounds of expiry.
_ROUND_EVERY = 300.0
#: Seconds between two attempts to delete files.
_SWEEP_EVERY = 2.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Retention periods, in seconds."""

    media: float
    texts: float
    duplicates: float
    #: Of events that the core has taken.
    taken: float = 0.0


class RetentionWorker:
    """Expires old data, and deletes files that the journal has forgotten.

    The journal forgets first and lists the files to delete. Then the files are deleted, and then the list entries.
    After a crash at any point the entries remain, and the next start deletes the files. An entry also remains while
    its attachment `is_in_progress`, because its files may still be written.

    Of several nodes, the one that `leads` does this for all; each looks after its own quarantine. Another node may be
    about to write files, so these are deleted once more after `again_after` seconds, and listed until then.
    """

    def __init__(
        self,
        journal: Journal,
        store: Store,
        quarantine: Quarantine,
        retention: Retention,
        is_in_progress: Callable[[str], bool],
        leads: Callable[[], bool] = lambda: True,
        again_after: float = 0.0,
    ) -> None:
        self._journal = journal
        self._store = store
        self._quarantine = quarantine
        self.retention = retention
        self._is_in_progress = is_in_progress
        self._leads = leads
        self._again_after = again_after
        #: When the files of an attachment that is still listed were first deleted, by the loop's clock.
        self._deleted_at: dict[str, float] = {}
        #: By the loop's clock.
        self._next_round = 0.0

    async def run(self) -> None:
        """Run rounds of expiry, and between them delete the files of deleted messages."""
        outage = (JournalUnavailable, StoreUnavailable)
        event = "retention_delayed"
        await every(_SWEEP_EVERY, self._round_or_sweep, outage, event)

    async def _round_or_sweep(self) -> None:
        await self._quarantine.remove_leftovers()
        now = asyncio.get_running_loop().time()
        if now >= self._next_round:
            self._next_round = now + _ROUND_EVERY
            await self.round()
        elif self._leads():
            await self.sweep()

    async def round(self) -> None:
        """Expire everything whose retention period is over."""
        if self._leads():
            await self._expire()
        await self._clear_quarantine()

    async def _expire(self) -> None:
        now = now_ms()
        media = _before(now, self.retention.media)
        while await self._journal.expire_media(media):
            fault_point("after-expire")
        texts = _before(now, self.retention.texts)
        memory = _before(now, max(self.retention.duplicates, self.retention.texts))
        while await self._journal.expire_texts(texts, memory):
            fault_point("after-forget")
        taken = _before(now, min(self.retention.taken, self.retention.texts))
        while await self._journal.expire_taken(taken):
            fault_point("after-expire-taken")
        await self._journal.scrub_free_pages()
        # Last: they need the store of media, and an outage of it must not keep texts readable.
        await self.sweep()

    async def sweep(self) -> None:
        """Delete the files that the journal has forgotten."""
        while attachments := [
            a for a in await self._journal.files_to_delete() if not self._is_in_progress(a)
        ]:
            for attachment in attachments:
                await self._delete_files(attachment)
            done = [a for a in attachments if self._is_certain(a)]
            if not done:
                return
            await self._journal.files_deleted(done)
            for attachment in done:
                self._deleted_at.pop(attachment, None)
            fault_point("after-sweep")

    async def _delete_files(self, attachment: str) -> None:
        if attachment in self._deleted_at and not self._is_certain(attachment):
            return
        fault_point("before-remove")
        await self._store.remove(attachment)
        await self._quarantine.erase(attachment)
        fault_point("after-remove")
        if self._again_after:
            self._deleted_at.setdefault(attachment, asyncio.get_running_loop().time())

    def _is_certain(self, attachment: str) -> bool:
        """Whether nobody can have written files since they were deleted."""
        if not self._again_after:
            return True
        now = asyncio.get_running_loop().time()
        return now - self._deleted_at.get(attachment, now) >= self._again_after

    async def _clear_quarantine(self) -> None:
        """Remove originals that a crash left behind: their attachment has ended or is unknown."""
        kept = {*self._quarantine.attachments, *await self._quarantine.shared_attachments()}
        for attachment in kept:
            if self._is_in_progress(attachment):
                continue
            row = await self._journal.find_attachment(attachment)
            if (row is None or row.state != "pending") and not self._is_in_progress(attachment):
                await self._quarantine.erase(attachment)

    async def erase(self, conversation: str) -> bool:
        """Erase a conversation with all its data; False if it is unknown."""
        if not await self._journal.erase(conversation, current_id()):
            return False
        fault_point("after-erase")
        try:
            await self._journal.scrub_free_pages()
            await self.sweep()
        except (JournalUnavailable, StoreUnavailable) as exc:
            # The files cannot be reached any more; they stay listed until they are deleted.
            log.error("erased_files_delayed", error=str(exc))
        log.info("conversation_erased", conversation=conversation)
        return True


def _before(now: int, seconds: float) -> int:
    return now - round(seconds * 1000)
