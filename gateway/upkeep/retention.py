"""What goes with time or on request: old media, old words, old memory of duplicates, whole conversations."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from gateway.backoff import every
from gateway.fault_points import fault_point
from gateway.journal import Journal, JournalUnavailable
from gateway.media.quarantine import Quarantine
from gateway.media.storage.filesystem import FileStore, StoreUnavailable
from gateway.timestamps import now_ms

log = structlog.get_logger(__name__)

#: Seconds between two rounds.
_ROUND_EVERY = 300.0
#: Seconds after which files are looked at again that could not go yet.
_SWEEP_EVERY = 2.0


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept, in seconds."""

    media: float
    words: float
    duplicates: float


class RetentionWorker:
    """The journal forgets first and notes which files are doomed; then the files go, then the note.

    A crash at any point leaves the note, and the next start finishes the work: no file is left behind. The
    note of an attachment that is being worked on (`is_in_progress`) stays, too: its files may still be written.
    """

    def __init__(
        self,
        journal: Journal,
        store: FileStore,
        quarantine: Quarantine,
        retention: Retention,
        is_in_progress: Callable[[str], bool],
    ) -> None:
        self._journal = journal
        self._store = store
        self._quarantine = quarantine
        self._retention = retention
        self._is_in_progress = is_in_progress
        #: By the loop's clock.
        self._next_round = 0.0

    async def run(self) -> None:
        """A round now and then; what a message taken back or a work in hand left is swept soon after."""
        outage = (JournalUnavailable, StoreUnavailable)
        event = "housekeeping_waits_for_journal_or_storage"
        await every(_SWEEP_EVERY, self._round_or_sweep, outage, event)

    async def _round_or_sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._next_round:
            await self.sweep()
        else:
            self._next_round = now + _ROUND_EVERY
            await self.round()

    async def round(self) -> None:
        """Remove everything whose time is over."""
        now = now_ms()
        media = _before(now, self._retention.media)
        while await self._journal.expire_media(media):
            fault_point("after-expire")
        texts = _before(now, self._retention.words)
        memory = _before(now, max(self._retention.duplicates, self._retention.words))
        while await self._journal.expire_texts(texts, memory):
            fault_point("after-forget")
        await self.sweep()
        await self._clear_quarantine()
        await self._journal.scrub_free_pages()

    async def sweep(self) -> None:
        """Remove the files of what the journal forgot."""
        while attachments := [
            a for a in await self._journal.files_to_delete() if not self._is_in_progress(a)
        ]:
            for attachment in attachments:
                fault_point("before-remove")
                await self._store.remove(attachment)
                await self._quarantine.remove(attachment)
                fault_point("after-remove")
            await self._journal.files_deleted(attachments)
            fault_point("after-sweep")

    async def _clear_quarantine(self) -> None:
        """Remove originals that a crash left behind: whose attachment has ended, or is not known."""
        for attachment in self._quarantine.attachments:
            if self._is_in_progress(attachment):
                continue
            row = await self._journal.find_attachment(attachment)
            if (row is None or row.state != "pending") and not self._is_in_progress(attachment):
                await self._quarantine.remove(attachment)

    async def erase(self, conversation: str) -> bool:
        """Remove every trace of a conversation; False if there is none such."""
        if not await self._journal.erase(conversation):
            return False
        fault_point("after-erase")
        try:
            await self._journal.scrub_free_pages()
            await self.sweep()
        except (JournalUnavailable, StoreUnavailable) as exc:
            # Nobody can reach the files any more; the note of them stays until they are gone.
            log.error("erased_files_wait_for_the_next_round", error=str(exc))
        log.info("conversation_erased", conversation=conversation)
        return True


def _before(now: int, seconds: float) -> int:
    return now - round(seconds * 1000)
