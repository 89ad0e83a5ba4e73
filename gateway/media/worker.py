"""Media workers: find, fetch, make safe, store, and tell the journal how each attachment ended."""

import asyncio
import heapq
from collections.abc import Mapping
from typing import Any

import structlog

from connectors import Connector, Rejected
from gateway.fault_points import fault_point
from gateway.journal import AttachmentRow, Job, Journal, JournalUnavailable, Outcome, Recorded
from gateway.observability.metrics import ATTACHMENTS, PENDING, READY
from gateway.timestamps import now_ms
from normalizer.media import Clean, Unsafe
from normalizer.sanitizer import Sanitizer

from .progress import MediaProgress
from .retry_policy import Retry, next_try
from .source import MediaSource
from .storage.filesystem import FileStore, StoreUnavailable

log = structlog.get_logger(__name__)

#: What a platform's refusal means for the attachment, where the words differ.
_REJECTED = frozenset({"too_large", "unsupported_type"})
_KNOWN = frozenset({"gone", "expired", "unauthorized", "unreachable", *_REJECTED})
#: Troubles of our own house (scanner or disk away) are waited out longer than any platform keeps a file.
_OWN_PATIENCE = 7 * 24 * 3600.0


class _Trouble(Exception):
    """An attempt that failed, in one shape whatever failed."""

    def __init__(
        self,
        state: str,
        reason: str,
        detail: str,
        *,
        retry: bool,
        after: float | None = None,
        ours: bool = False,
    ) -> None:
        super().__init__(reason)
        self.state, self.reason, self.detail = state, reason, detail
        self.retry, self.after, self.ours = retry, after, ours


class MediaWorker:
    """Works through pending attachments, the earliest due first, at most `parallel` at once."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        originals: MediaSource,
        sanitizer: Sanitizer,
        store: FileStore,
        *,
        keep_photos: int | None,
        parallel: int,
    ) -> None:
        self._journal = journal
        self._connectors = connectors
        self._originals = originals
        self._sanitizer = sanitizer
        self._store = store
        self._keep_photos = keep_photos
        self._parallel = parallel
        self._due: list[tuple[int, int, int]] = []
        self._known: set[tuple[int, int]] = set()
        #: Known ones that were reported once more: a retry by hand may come while the last try still ends.
        self._again: set[tuple[int, int]] = set()
        self._in_hand: dict[str, MediaProgress] = {}
        self._changed = asyncio.Event()
        PENDING.set_function(lambda: len(self._known))

    @property
    def waiting(self) -> int:
        """Attachments not ended yet."""
        return len(self._known)

    def recorded(self, recorded: Recorded) -> None:
        """Take up the attachments that a transaction made pending."""
        for job in recorded.jobs:
            self._add(job)

    def _add(self, job: Job) -> None:
        """One that is in hand already is looked at again when it is through."""
        key = (job.message, job.position)
        if key in self._known:
            self._again.add(key)
            return
        self._known.add(key)
        self._push(job)

    def in_hand(self, attachment: str) -> bool:
        """Whether files of this attachment may be about to be written."""
        return attachment in self._in_hand

    def progress(self, attachment: str) -> MediaProgress | None:
        """How far the present try is; None while none is under way."""
        return self._in_hand.get(attachment)

    async def pick_up(self) -> None:
        """Take up whatever is pending in the journal and known to nobody here."""
        for job in await self._journal.pending():
            if (job.message, job.position) not in self._known:
                self._add(job)

    async def run(self) -> None:
        """Work until cancelled, beginning with what an earlier run left."""
        await self.pick_up()
        places = asyncio.Semaphore(self._parallel)
        async with asyncio.TaskGroup() as group:
            while True:
                job = await self._next()
                await places.acquire()
                group.create_task(self._work(job)).add_done_callback(lambda _: places.release())

    def _push(self, job: Job) -> None:
        heapq.heappush(self._due, (job.due, job.message, job.position))
        self._changed.set()

    async def _work(self, job: Job) -> None:
        key = (job.message, job.position)
        again = await self._attempt(job)
        if again is None and key in self._again:
            again = Job(*key, now_ms())
        self._again.discard(key)
        if again is not None:
            self._push(again)
        else:
            self._known.discard(key)

    async def _next(self) -> Job:
        while True:
            self._changed.clear()
            wait = (self._due[0][0] - now_ms()) / 1000 if self._due else None
            if wait is not None and wait <= 0:
                due, message, position = heapq.heappop(self._due)
                return Job(message, position, due)
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue

    async def _attempt(self, job: Job) -> Job | None:
        """One try; returns when to try again, None when the attachment has ended."""
        try:
            row = await self._journal.attachment(job.message, job.position)
            if row is None or row.state != "pending":
                return None
            progress = self._in_hand[row.id] = MediaProgress()
            try:
                return await self._try(job, row, progress)
            finally:
                del self._in_hand[row.id]
        except (JournalUnavailable, StoreUnavailable) as trouble:
            log.error("media_wait_for_journal_or_storage", error=str(trouble))
            return Job(job.message, job.position, now_ms() + 1000)

    async def _try(self, job: Job, row: AttachmentRow, progress: MediaProgress) -> Job | None:
        try:
            outcome = await self._make(row, progress)
        except _Trouble as trouble:
            return await self._after(job, row, trouble)
        await self._end(row, outcome)
        return None

    async def _after(self, job: Job, row: AttachmentRow, trouble: _Trouble) -> Job | None:
        retry = self._next_try(row, trouble) if trouble.retry else None
        log.warning(
            "attachment_attempt_failed",
            attachment=row.id,
            connector=row.connector,
            reason=trouble.reason,
            detail=trouble.detail,
            attempt=row.attempts + 1,
            retry_in=round(retry.after, 1) if retry else None,
        )
        if retry is not None:
            due = now_ms() + round(retry.after * 1000)
            await self._originals.secure(row.id)
            await self._journal.postpone(job.message, job.position, due, trouble.reason)
            fault_point("after-postpone")
            return Job(job.message, job.position, due)
        outcome = Outcome(trouble.state, trouble.reason, trouble.detail or None)
        await self._end(row, outcome)
        return None

    async def _end(self, row: AttachmentRow, outcome: Outcome) -> None:
        if outcome.state != "ready":
            # Before the journal says that it ended: an earlier try may have stored a part of it.
            fault_point("before-clear")
            await self._store.remove(row.id)
        fault_point("before-finish")
        finished = await self._journal.finish(row.message, row.position, outcome)
        fault_point("after-finish")
        await self._originals.release(row.id)
        if not finished:
            await self._forget(row)
            return
        ATTACHMENTS.labels(row.connector, outcome.state, outcome.reason or "").inc()
        if outcome.state == "ready":
            READY.labels(row.kind).observe((now_ms() - row.received_at) / 1000)
        if self._keep_photos is not None and outcome.state == "ready" and row.kind != "video":
            await self._journal.expire_photos_beyond(row.message, self._keep_photos)

    async def _forget(self, row: AttachmentRow) -> None:
        """It was not pending any more: erased or taken back. What was just stored belongs to nobody."""
        now = await self._journal.attachment(row.message, row.position)
        if now is None or now.state != "ready":
            await self._store.remove(row.id)

    def _next_try(self, row: AttachmentRow, trouble: _Trouble) -> Retry | None:
        connector = self._connectors.get(row.connector)
        patience = connector.media_patience if connector else 0.0
        return next_try(
            trouble.reason,
            attempts=row.attempts,
            asked=trouble.after,
            age=(now_ms() - row.received_at) / 1000,
            patience=_OWN_PATIENCE if trouble.ours else patience,
            ours=trouble.ours,
        )

    async def _make(self, row: AttachmentRow, progress: MediaProgress) -> Outcome:
        connector = self._connectors.get(row.connector)
        if connector is None:
            raise _Trouble("failed", "gone", "its connector is not configured", retry=False)
        try:
            return await self._made_safe(connector, row, progress)
        except _Trouble:
            raise
        except Rejected as refusal:
            raise _refused(refusal) from refusal
        except Unsafe as unsafe:
            raise _unsafe(unsafe) from unsafe
        except (StoreUnavailable, OSError) as trouble:
            detail = f"our storage: {trouble}"
            raise _Trouble("failed", "unreachable", detail, retry=True, ours=True) from trouble
        except Exception as surprise:
            # A mistake in a connector, or ours, costs this attachment and not the gateway at every start.
            log.exception("attachment_surprise", attachment=row.id, connector=row.connector)
            detail = f"{type(surprise).__name__}: the log has the details"
            raise _Trouble("failed", "decoder_crashed", detail, retry=True) from surprise

    async def _made_safe(
        self, connector: Connector[Any], row: AttachmentRow, progress: MediaProgress
    ) -> Outcome:
        away = await self._sanitizer.scanner_error()
        if away and not self._originals.should_fetch(row.id):
            raise away
        async with self._originals.original(connector, row) as original:
            if away:
                raise away
            clean = await self._sanitizer.sanitize(
                original.descriptor, declared=row.media["media_type"], progress=progress.tell
            )
            fault_point("after-sanitize")
            self._permit(connector, clean)
            return await self._keep(row, clean, original.name)

    def _permit(self, connector: Connector[Any], clean: Clean) -> None:
        """A switch counts for what a file is, not for what it was declared to be."""
        switch = {"photo": "photos", "video": "videos"}[clean.kind]
        if not getattr(connector.config, switch):
            raise _Trouble("rejected", "disabled", f"{switch} are off", retry=False)

    async def _keep(self, row: AttachmentRow, clean: Clean, name: str | None) -> Outcome:
        stored = await self._store.put(row.id, clean.renditions)
        fault_point("after-store")
        return Outcome(
            "ready",
            name=name,
            width=clean.width,
            height=clean.height,
            duration=clean.duration_seconds,
            renditions={rendition.name: rendition.view for rendition in stored},
        )


def _refused(refusal: Rejected) -> _Trouble:
    reason = refusal.reason if refusal.reason in _KNOWN else "unreachable"
    state = "rejected" if reason in _REJECTED else "failed"
    detail = refusal.detail if reason == refusal.reason else f"{refusal.reason} {refusal.detail}"
    return _Trouble(state, reason, detail.strip(), retry=refusal.retry, after=refusal.after)


def _unsafe(unsafe: Unsafe) -> _Trouble:
    return _Trouble(
        unsafe.state,
        unsafe.reason,
        unsafe.detail,
        retry=unsafe.state == "failed",
        ours=unsafe.reason == "scanner_unavailable",
    )
