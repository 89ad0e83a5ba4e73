"""Failures for operators: listed, shown and retried. A failure is removed only when its retry has succeeded."""

import asyncio
from collections.abc import Mapping
from typing import Any

from connectors import Connector, Unknown
from gateway.delivery.lanes import Lanes
from gateway.inbound.parse_worker import read
from gateway.journal import Accepted, AttachmentRow, Batch, Journal
from gateway.observability.lines import note
from gateway.observability.request_ids import current_id

_MAX_LISTED = 1000
#: Failures that are retried concurrently, so that they share a commit.
_BATCH = 100
_MAX_BODY_BYTES = 16_384


class Failures:
    """Lists and retries unreadable deliveries, failed attachments, and events that the core refuses."""

    def __init__(
        self, journal: Journal, connectors: Mapping[str, Connector[Any]], lanes: Lanes
    ) -> None:
        self._journal = journal
        self._connectors = connectors
        self._lanes = lanes

    async def listed(self, limit: int = _MAX_LISTED) -> list[dict[str, Any]]:
        recorded = await self._journal.failures(min(limit, _MAX_LISTED))
        return [*await self._refused(limit), *recorded][:limit]

    async def _refused(self, limit: int = _MAX_LISTED) -> list[dict[str, Any]]:
        """Return the events that the core refuses, those of other nodes included."""
        own = self._lanes.refused()
        known = {failure["id"] for failure in own}
        others = await self._journal.refused_events(limit)
        return [*own, *(failure for failure in others if failure["id"] not in known)]

    async def shown(self, id: str) -> dict[str, Any] | None:
        """Return one failure in full; a delivery includes its body as text."""
        failed = await self._journal.failed_delivery(id)
        if failed is not None:
            return {**failed.view, **_content(failed.delivery)}
        refused = [failure for failure in await self._refused() if failure["id"] == id]
        if refused:
            return refused[0]
        row = await self._journal.find_attachment(id)
        return {"id": id, "kind": "attachment", **row.view} if row else None

    async def retry_all(self) -> list[dict[str, Any]]:
        """Retry all failures, also those beyond the limit of the list."""
        ids = [failure["id"] for failure in await self._refused()]
        ids += await self._journal.retriable_failures()
        results: list[dict[str, Any]] = []
        for start in range(0, len(ids), _BATCH):
            tried = await asyncio.gather(*map(self.retry, ids[start : start + _BATCH]))
            # A failure that was resolved or erased in between is not listed.
            results += [result for result in tried if result is not None]
        return results

    async def retry(self, id: str) -> dict[str, Any] | None:
        """Retry one failure; None if there is no such failure."""
        failed = await self._journal.failed_delivery(id)
        if failed is not None:
            return await self._replay(id, failed.delivery)
        if id.startswith("evt_"):
            is_known = self._lanes.retry(id) | await self._journal.retry_event(id)
            note("event_retried", {"request_id": current_id(), "event_id": id})
            detail = "the event is sent to the core again"
            return {"id": id, "status": "accepted", "detail": detail} if is_known else None
        row = await self._journal.find_attachment(id)
        if row is None:
            return None
        if not await self._journal.retry(row.message, row.position):
            return {"id": id, "status": "unchanged", "detail": f"the attachment is {row.state}"}
        note("attachment_retried", ids_of(row))
        return {"id": id, "status": "accepted", "detail": "the file is fetched again"}

    async def _replay(self, id: str, delivery: Accepted) -> dict[str, Any]:
        """Parse a delivery again, perhaps with a newer connector; events recorded before are not repeated."""
        readings = read(delivery, self._connectors)
        legible = tuple(r for r in readings if not isinstance(r.event, Unknown))
        reasons = [r.event.reason for r in readings if isinstance(r.event, Unknown)]
        ids = {"request_id": current_id(), "connector": delivery.connector, "failure": id}
        note("delivery_retried", {**ids, "came_with": delivery.request_id})
        recorded = await self._journal.record(Batch((), legible))
        await self._journal.settle_failure(id, "; ".join(reasons)[:500] or None)
        if reasons:
            return {"id": id, "status": "failed", "detail": reasons[0]}
        return {"id": id, "status": "done", "detail": f"{len(recorded.entries)} new events"}


def ids_of(row: AttachmentRow) -> dict[str, str]:
    """Return what the log names of an attachment that a call is about; `came_with` is the request of its message."""
    return {
        "request_id": current_id(),
        "connector": row.connector,
        "conversation": row.conversation_id,
        "message": row.message_id,
        "attachment": row.id,
        "came_with": row.request_id,
    }


def _content(accepted: Accepted) -> dict[str, Any]:
    text = accepted.body[:_MAX_BODY_BYTES].decode("utf-8", "replace")
    return {
        "query": dict(accepted.query),
        "body": text,
        "bytes": len(accepted.body),
        "request_id": accepted.request_id or None,
    }
