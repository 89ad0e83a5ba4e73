"""When a batch cannot be recorded as a whole: event by event, so that one bad event costs only itself.

Whatever is known already is recognised as a repeat, so a crash on the way does no harm: the rows of the
intake go last, and the batch is simply read again.
"""

from dataclasses import replace

import structlog

from connectors import Unknown

from .journal import Batch, Journal, JournalUnavailable, Reading, Recorded

log = structlog.get_logger(__name__)


async def salvage(journal: Journal, batch: Batch) -> Recorded:
    """What could be recorded; of each event that could not, that it was there."""
    parts = [await _one(journal, reading) for reading in batch.readings]
    parts.append(await journal.record(Batch(batch.intake, (), batch.unreadable)))
    return Recorded(
        entries=tuple(entry for part in parts for entry in part.entries),
        frozen=tuple(entry for part in parts for entry in part.frozen),
        jobs=tuple(job for part in parts for job in part.jobs),
        duplicates=sum(part.duplicates for part in parts),
    )


async def _one(journal: Journal, reading: Reading) -> Recorded:
    try:
        return await journal.record(Batch((), (reading,)))
    except JournalUnavailable:
        raise
    except Exception as trouble:
        log.exception("event_cannot_be_recorded", connector=reading.connector)
        reason = f"{type(trouble).__name__} while it was recorded"
        unknown = Unknown(id=f"unrecorded:{reading.event.id}", reason=reason)
        return await journal.record(Batch((), (replace(reading, event=unknown, attachments=()),)))
