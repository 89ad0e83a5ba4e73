"""Media worker: fetches, sanitizes and stores attachments, and records the outcome of each."""

import asyncio
import contextlib
import heapq
from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from structlog.contextvars import bound_contextvars

from connectors import Connector, Rejected
from gateway.fault_points import fault_point
from gateway.journal import (
    AttachmentRow,
    Job,
    Journal,
    JournalUnavailable,
    Outcome,
    Recorded,
    Shards,
    shard_of_message,
)
from gateway.observability.lines import note
from gateway.observability.metrics import ATTACHMENTS, PENDING
from gateway.observability.spans import AddSpan
from gateway.observability.system_errors import words_of
from gateway.timestamps import now_ms
from normalizer.media import Clean, Unsafe
from normalizer.sanitizer import Sanitizer

from .attempt import Attempt, AttemptFailed, attempt_span, from_rejection, from_unsafe
from .crash_count import CrashCount
from .progress import MediaProgress
from .ready import COUNTED, measure, outcome_of
from .retry_policy import Retry, next_try
from .sighting import look_at, refuse_disabled, refuse_disabled_original
from .source import MediaSource
from .storage.interface import Store, StoreTry, StoreUnavailable
from .turns import UNKNOWN_SIZE, HostBusy, Limits, Turns, Waiting

log = structlog.get_logger(__name__)

#: Seconds for which failures of the local scanner or disk are retried: longer than any platform keeps a file.
_LOCAL_PATIENCE = 7 * 24 * 3600.0


class MediaWorker:
    """Processes pending attachments once they are due and it is their turn; it fetches at most `parallel` at once."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        source: MediaSource,
        sanitizer: Sanitizer,
        store: Store,
        *,
        keep_photos: int | None,
        parallel: int,
        spans: AddSpan | None = None,
    ) -> None:
        self._spans = spans
        self._journal = journal
        self._ownership = journal.ownership
        self._connectors = connectors
        self._source = source
        self._sanitizer = sanitizer
        self._store = store
        self.keep_photos = keep_photos
        self._turns = Turns(Limits(parallel), journal.ownership.share)
        #: Files that are not due yet.
        self._later: list[tuple[tuple[int, int, int, int], Waiting]] = []
        #: By message and position; a file that was dropped in the meantime is not the one that is known.
        self._known: dict[tuple[int, int], Waiting] = {}
        self._running: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._crashes = CrashCount(journal)
        #: Files that were dropped, perhaps in the middle of an attempt.
        self._left: set[tuple[int, int]] = set()
        #: Known attachments that became pending once more: a manual retry may come while the last attempt still ends.
        self._requeued: set[tuple[int, int]] = set()
        self._in_progress: dict[str, MediaProgress] = {}
        self._changed = asyncio.Event()
        PENDING.set_function(lambda: len(self._known))

    @property
    def waiting(self) -> int:
        """The number of attachments that have yet to end."""
        return len(self._known)

    def recorded(self, recorded: Recorded) -> None:
        """Take up the attachments that a transaction made pending."""
        for job in recorded.jobs:
            if self._ownership.owns(shard_of_message(job.message)):
                self._add(job)

    def _add(self, job: Job) -> None:
        """Queue an attachment; one that is being processed is queued again when its attempt has ended."""
        key = (job.message, job.position)
        if key in self._known:
            self._requeued.add(key)
            return
        self._known[key] = file = self._waiting(job)
        self._push(file)

    def _waiting(self, job: Job) -> Waiting:
        """Return the attachment with what decides its turn: its host, its conversation, and its announced size."""
        file = Waiting(
            job.message,
            job.position,
            job.due,
            job.conversation,
            job.connector,
            is_late=job.is_late,
            is_new=job.is_new,
        )
        connector = self._connectors.get(job.connector)
        if connector is not None and job.media:
            media = orjson.loads(job.media)
            file.host = self._source.first_host(connector, media) or job.connector
            size = media.get("size")
            file.size = max(0, size) if isinstance(size, int) else UNKNOWN_SIZE
        return file

    def is_in_progress(self, attachment: str) -> bool:
        """Whether files of this attachment may be about to be written."""
        return attachment in self._in_progress

    def progress(self, attachment: str) -> MediaProgress | None:
        """Return the progress of the current attempt; None if there is none."""
        return self._in_progress.get(attachment)

    async def pick_up(self, shards: Shards | None = None) -> None:
        """Take up attachments of these shards that are pending in the journal and not known here.

        None means all shards that this node owns.
        """
        if self._ownership.shared and shards is None:
            shards = self._ownership.shards
        await self._take_back()
        for job in await self._journal.pending(shards=shards):
            owned = self._ownership.owns(shard_of_message(job.message))
            if owned and (job.message, job.position) not in self._known:
                self._add(job)

    def drop(self, shards: Shards) -> None:
        """Forget the attachments of these shards, and end their attempts."""
        for key in [key for key in self._known if shard_of_message(key[0]) in shards]:
            del self._known[key]
            self._requeued.discard(key)
            self._left.add(key)
            if (attempt := self._running.get(key)) is not None:
                attempt.cancel()

    async def release(self, shards: Shards) -> None:
        """The same, and return once the attempts have ended."""
        ending = [key for key in self._running if shard_of_message(key[0]) in shards]
        attempts = [self._running[key] for key in ending]
        self.drop(shards)
        if attempts:
            await asyncio.wait(attempts)
        await self._take_back()

    async def _take_back(self) -> None:
        """Let the journal know that this node survived the attempts that it left to others."""
        left, self._left = self._left - self._known.keys(), set()
        await self._crashes.survived(left)

    async def run(self) -> None:
        """Process attachments until cancelled, starting with those that an earlier run left."""
        await self.pick_up()
        async with asyncio.TaskGroup() as group:
            while True:
                file = await self._next()
                task = group.create_task(self._process(file))
                self._running[file.key] = task

    def _push(self, file: Waiting) -> None:
        heapq.heappush(self._later, ((file.due, *file.key, file.serial), file))
        self._changed.set()

    async def _process(self, file: Waiting) -> None:
        attempt = Attempt(file, MediaProgress(), self._turns)
        try:
            again = self._known.get(file.key) is file and await self._attempt(attempt)
        finally:
            attempt.end()
            if self._running.get(file.key) is asyncio.current_task():
                del self._running[file.key]
            self._changed.set()
        if self._known.get(file.key) is not file:
            return
        if not again and file.key in self._requeued:
            again, file.due, file.is_late = True, now_ms(), False
        self._requeued.discard(file.key)
        if again:
            self._push(file)
        else:
            del self._known[file.key]

    async def _next(self) -> Waiting:
        """Wait until a file is due and it is its turn."""
        while True:
            self._changed.clear()
            now = now_ms()
            while self._later and self._later[0][1].due <= now:
                self._turns.add(heapq.heappop(self._later)[1])
            if (file := self._turns.take()) is not None:
                return file
            wait = (self._later[0][1].due - now) / 1000 if self._later else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)

    async def _attempt(self, attempt: Attempt) -> bool:
        """Make one attempt; return whether there is another one, whose time `file.due` says."""
        file = attempt.file
        try:
            row = await self._journal.attachment(*file.key)
            if row is None or row.state != "pending":
                return False
            attempt.storing = self._store.begin(row.id, is_first=file.is_new)
            self._in_progress[row.id] = attempt.progress
            started = now_ms()
            try:
                with bound_contextvars(**_named(row)):
                    again = await self._try(attempt, row)
            finally:
                if self._in_progress.get(row.id) is attempt.progress:
                    del self._in_progress[row.id]
                if self._spans is not None:
                    self._spans(attempt_span(row, started))
        except HostBusy as exc:
            file.host = exc.host
            return True
        except (JournalUnavailable, StoreUnavailable) as exc:
            log.error("media_delayed", error=str(exc))
            file.due, again = now_ms() + 1000, True
        file.is_new = False
        return again

    async def _try(self, attempt: Attempt, row: AttachmentRow) -> bool:
        try:
            outcome = await self._run_attempt(row, attempt)
        except AttemptFailed as exc:
            if await self._postpones(attempt.file, row, exc):
                return True
            outcome = Outcome(exc.state, exc.reason, exc.detail or None, code=exc.code)
        sighting = attempt.progress.sighting
        if sighting is not None:
            outcome = sighting.completed(outcome, row.kind)
        await self._finish(row, outcome, attempt.storing)
        return False

    async def _postpones(self, file: Waiting, row: AttachmentRow, exc: AttemptFailed) -> bool:
        """Schedule the next attempt; False if there is none."""
        retry = self._next_try(file, row, exc) if exc.retry else None
        log.warning(
            "attachment_attempt_failed",
            reason=exc.reason,
            code=exc.code,
            detail=exc.detail,
            attempt=row.attempts + 1,
            retry_in=round(retry.after, 1) if retry else None,
        )
        if retry is None:
            return False
        file.due = now_ms() + round(retry.after * 1000)
        file.is_late = exc.reason == "unreachable"
        await self._source.secure(row.id)
        await self._journal.postpone(*file.key, file.due, exc.reason)
        self._crashes.ended(file.key)
        fault_point("after-postpone")
        return True

    async def _finish(self, row: AttachmentRow, outcome: Outcome, storing: StoreTry) -> None:
        if not outcome.renditions:
            # Before the journal records the end: an earlier attempt may have stored some of the files.
            fault_point("before-clear")
            await self._store.clear(storing)
        fault_point("before-finish")
        finished = await self._journal.finish(row.message, row.position, outcome)
        self._crashes.ended((row.message, row.position))
        fault_point("after-finish")
        await self._source.release(row.id, is_ended=finished)
        if not finished:
            await self._discard_files(row, storing)
            return
        kind = outcome.kind or row.kind
        ATTACHMENTS.labels(row.connector, kind, outcome.state, outcome.reason or "").inc()
        ended = {"kind": kind, "state": outcome.state, "reason": outcome.reason}
        note("attachment_ended", {**_named(row), **ended, "attempt": row.attempts + 1})
        if outcome.state == "ready":
            measure(row, outcome)
        if self.keep_photos is not None and outcome.state == "ready" and outcome.kind in COUNTED:
            await self._journal.expire_photos_beyond(row.message, self.keep_photos)

    async def _discard_files(self, row: AttachmentRow, storing: StoreTry) -> None:
        """Remove the files of an attachment that was erased, deleted or ended while it was being processed."""
        now = await self._journal.attachment(row.message, row.position)
        is_shown = now is not None and bool(now.view["renditions"])
        await self._store.discard(storing, is_shown=is_shown)

    def _next_try(self, file: Waiting, row: AttachmentRow, exc: AttemptFailed) -> Retry | None:
        connector = self._connectors.get(row.connector)
        patience = connector.media_patience if connector else 0.0
        return next_try(
            exc.reason,
            attempts=file.failed.count(exc.reason, recorded=row.attempts, local=exc.local),
            retry_after=exc.after,
            age=(now_ms() - row.received_at) / 1000,
            patience=_LOCAL_PATIENCE if exc.local else patience,
            local=exc.local,
        )

    async def _run_attempt(self, row: AttachmentRow, attempt: Attempt) -> Outcome:
        connector = self._connectors.get(row.connector)
        if connector is None:
            raise AttemptFailed(
                "failed", "gone", "its connector is not in connectors.yaml", retry=False
            )
        try:
            return await self._fetch_and_sanitize(connector, row, attempt)
        except (AttemptFailed, HostBusy):
            raise
        except Rejected as exc:
            raise from_rejection(exc) from exc
        except Unsafe as exc:
            raise from_unsafe(exc) from exc
        except (StoreUnavailable, OSError) as exc:
            detail = f"local storage: {words_of(exc)}"
            raise AttemptFailed("failed", "unreachable", detail, retry=True, local=True) from exc
        except Exception as exc:
            # A bug, here or in a connector, fails this attachment only: ending the gateway would repeat at every start.
            log.exception("attachment_unexpected_error")
            detail = f"{type(exc).__name__}; see the log for details"
            raise AttemptFailed("failed", "decoder_crashed", detail, retry=True) from exc

    async def _fetch_and_sanitize(
        self, connector: Connector[Any], row: AttachmentRow, attempt: Attempt
    ) -> Outcome:
        progress = attempt.progress
        scanner_error = await self._sanitizer.scanner_error()
        if scanner_error and not self._source.should_fetch(connector, row.id):
            raise scanner_error
        async with self._source.original(
            connector, row, attempt.arriving, is_first=attempt.file.is_new
        ) as original:
            attempt.fetched()
            self._changed.set()
            progress.sighting = sighting = await look_at(original.descriptor)
            refuse_disabled(sighting.content.kind, connector.config)
            if scanner_error:
                sighting.refuse_unsupported(offers_originals=self._sanitizer.offers_originals)
                raise scanner_error
            async with self._crashes.attempt(row):
                clean = await self._sanitizer.sanitize(
                    original.descriptor,
                    declared=row.media["media_type"],
                    progress=progress.update,
                    owner=attempt.file.conversation,
                )
            fault_point("after-sanitize")
            refuse_disabled_original(clean, connector.config)
            if clean.refusal is None:
                # The decoder knows better than the first bytes.
                refuse_disabled(clean.kind, connector.config)
            return await self._store_renditions(row, attempt.storing, clean, original.name)

    async def _store_renditions(
        self, row: AttachmentRow, storing: StoreTry, clean: Clean, name: str | None
    ) -> Outcome:
        if not self._ownership.still():
            raise JournalUnavailable("another node may work on the file by now")
        stored = await self._store.put(storing, clean.renditions)
        fault_point("after-store")
        return outcome_of(row, clean, stored, name)


def _named(row: AttachmentRow) -> dict[str, str]:
    """Return what every log line about an attachment names."""
    return {
        "request_id": row.request_id,
        "connector": row.connector,
        "conversation": row.conversation_id,
        "message": row.message_id,
        "attachment": row.id,
    }
