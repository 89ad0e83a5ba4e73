"""Parse worker: turns accepted deliveries into events and records them.

New deliveries and those that a crash left behind take the same path.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NoReturn

import structlog

from connectors import AnyEvent, Connector, Delivery, Echo, Message, Unknown
from gateway.backoff import retry_until_done
from gateway.events.trace_context import span_of, trace_of
from gateway.fault_points import fault_point
from gateway.intake_priority import IntakePriority
from gateway.journal import (
    Accepted,
    Batch,
    IntakeRow,
    Journal,
    JournalUnavailable,
    Reading,
    Unreadable,
)
from gateway.observability.spans import AddSpan, Span
from gateway.settings import live
from gateway.timestamps import from_ms, now_ms
from normalizer.events import with_content

from .attachment_rules import admit
from .decoding import decode
from .extra import bounded

log = structlog.get_logger(__name__)

#: Seconds for which parsing and recording a delivery of one message blocks the event loop, approximately.
_SECONDS_EACH = 0.00012
#: Intake rows recorded in one transaction. More would delay the transactions behind it.
_MAX_ROWS = 4
#: Deliveries parsed before other tasks on the event loop get a turn.
_YIELD_EVERY = 5
#: Seconds before the journal is tried again.
_PAUSE = 0.5


def _ignore(connector: str, size: int) -> None:
    """Ignore parsed deliveries if nobody counts them."""


class ParseWorker:
    """Parses deliveries in the order of acceptance and records their events, until cancelled.

    `on_parsed` is called with the connector and the size of each delivery.
    """

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        priority: IntakePriority,
        on_parsed: Callable[[str, int], None] = _ignore,
        spans: AddSpan | None = None,
    ) -> None:
        self._on_parsed = on_parsed
        self._spans = spans
        self._priority = priority
        self._journal = journal
        self._connectors = live(connectors)
        #: The last row that is recorded, and the task that records the rows after it.
        self._last_recorded = -1
        self._recording: asyncio.Task[None] | None = None

    async def run(self) -> None:
        try:
            await retry_until_done(
                _PAUSE, self._parse_forever, JournalUnavailable, "parsing_delayed"
            )
        finally:
            if self._recording is not None:
                self._recording.cancel()

    async def _parse_forever(self) -> NoReturn:
        """Parse and record rows, starting after the last one that is recorded."""
        after = self._last_recorded
        while True:
            after = await self._parse_after(after)

    async def _parse_after(self, after: int) -> int:
        """Parse the rows after row `after` while earlier rows are being recorded; return the last row."""
        self._journal.arrived.clear()
        rows = await self._journal.unread(after, _MAX_ROWS if self._priority.is_low() else 1)
        if not rows:
            await self._finish_recording()
            await self._journal.arrived.wait()
            return after
        fault_point("after-read")
        batch = await self._parse_rows(rows)
        await self._finish_recording()
        fault_point("before-record")
        self._recording = asyncio.create_task(self._record(batch))
        return batch.intake[-1]

    async def _finish_recording(self) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            await recording

    async def _record(self, batch: Batch) -> None:
        try:
            await self._journal.record(batch)
        except JournalUnavailable:
            raise
        except Exception:
            log.exception("batch_not_recorded", events=len(batch.readings))
            await record_one_by_one(self._journal, batch)
        fault_point("after-record")
        self._last_recorded = batch.intake[-1]
        if self._spans is not None:
            for reading in batch.readings:
                if isinstance(reading.event, Message):
                    self._spans(self._span(reading, reading.event.id))

    def _span(self, reading: Reading, platform_id: str) -> Span:
        """Return the span from the arrival of a message until it is recorded."""
        message = self._journal.ids.message(reading.connector, platform_id)
        return Span(
            "webhook",
            trace_of(message),
            reading.received_at,
            now_ms(),
            parent=span_of(message),
            attributes={"airlock.connector": reading.connector, "airlock.message": message},
        )

    async def _parse_rows(self, rows: list[IntakeRow]) -> Batch:
        readings: list[Reading] = []
        unreadable: list[Unreadable] = []
        count = 0
        for row in rows:
            await self._priority.wait_turn(len(row.deliveries) * _SECONDS_EACH)
            for accepted in row.deliveries:
                parsed = read(accepted, self._connectors.even_removed())
                readings += parsed
                reasons = [r.event.reason for r in parsed if isinstance(r.event, Unknown)]
                if reasons:
                    unreadable.append(Unreadable(accepted, "; ".join(reasons)[:500]))
                self._on_parsed(accepted.connector, len(accepted.body))
                count += 1
                if count % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)
        return Batch(tuple(row.id for row in rows), tuple(readings), tuple(unreadable))


async def record_one_by_one(journal: Journal, batch: Batch) -> None:
    """Record each event of a batch in its own transaction, so that one bad event does not lose the others.

    The intake rows are removed last. After a crash in between, the batch is parsed again, and the events that were
    recorded are recognised as duplicates.
    """
    for reading in batch.readings:
        await _record_single(journal, reading)
    await journal.record(Batch(batch.intake, (), batch.unreadable))


async def _record_single(journal: Journal, reading: Reading) -> None:
    try:
        await journal.record(Batch((), (reading,)))
    except JournalUnavailable:
        raise
    except Exception as exc:
        ids = {"request_id": reading.request_id, "connector": reading.connector}
        log.exception("event_not_recorded", **ids)
        reason = f"{type(exc).__name__} while it was being recorded"
        unknown = Unknown(id=f"unrecorded:{reading.event.id}", reason=reason)
        await journal.record(Batch((), (replace(reading, event=unknown, attachments=()),)))


def read(accepted: Accepted, connectors: Mapping[str, Connector[Any]]) -> list[Reading]:
    """Return the events of a delivery. Never raises: an entry that cannot be parsed becomes an Unknown event."""
    connector = connectors.get(accepted.connector)
    if connector is None:
        unknown = _unreadable(accepted, "its connector is no longer in connectors.yaml")
        return [
            Reading(
                accepted.connector,
                "",
                accepted.received_at,
                unknown,
                request_id=accepted.request_id,
            )
        ]
    return [_to_reading(accepted, connector, event) for event in _events(accepted, connector)]


def _to_reading(accepted: Accepted, connector: Connector[Any], event: AnyEvent) -> Reading:
    origin = (accepted.connector, connector.name, accepted.received_at)
    try:
        window = connector.limits(event.account or "").reply_window
        event = bounded(with_content(event))
        attachments = (
            admit(event.attachments, connector.config) if isinstance(event, Message | Echo) else ()
        )
    except Exception as exc:
        log.exception("attachments_not_admitted", **_named(accepted))
        reason = f"{type(exc).__name__} while its attachments were being checked"
        unknown = Unknown(id=f"message:{event.id}", reason=reason)
        return Reading(*origin, unknown, request_id=accepted.request_id)
    return Reading(
        *origin,
        event,
        attachments,
        reply_window=round(window * 1000) if window is not None else None,
        reports_opt_in=connector.reports_opt_in,
        request_id=accepted.request_id,
    )


def _events(accepted: Accepted, connector: Connector[Any]) -> list[AnyEvent]:
    try:
        content = decode(accepted.body, connector)
    except ValueError as exc:
        return [_unreadable(accepted, f"the body is not {connector.body}: {type(exc).__name__}")]
    delivery = Delivery(content, accepted.headers, accepted.query, from_ms(accepted.received_at))
    try:
        return list(connector.parse(delivery))
    except Exception as exc:
        log.warning(
            "parse_failed",
            **_named(accepted),
            error=type(exc).__name__,
            exc_info=True,
        )
        return [_unreadable(accepted, f"{type(exc).__name__} while parsing", content)]


def _named(accepted: Accepted) -> dict[str, str]:
    """Return what every log line about a delivery names."""
    return {"request_id": accepted.request_id, "connector": accepted.connector}


def _unreadable(accepted: Accepted, reason: str, content: Any = None) -> Unknown:
    digest = hashlib.blake2b(accepted.body, digest_size=16).hexdigest()
    return Unknown(id=f"delivery:{digest}", reason=reason, raw=content)
