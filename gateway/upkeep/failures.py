"""Failures as operators handle them: list, look at, try again. A retry counts as done only when it succeeded."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from connectors import Connector, Unknown
from gateway.delivery.lanes import Lanes
from gateway.inbound.parse_worker import read
from gateway.journal import Batch, Job, Journal, Recorded
from gateway.journal.operations import failures as rows
from gateway.journal.records import Accepted

_LISTED = 1000
#: Tried again at once: they share a commit.
_TOGETHER = 100
_SHOWN = 16_384


class Failures:
    """Works on the journal; hands what a retry set going to `on_recorded` and `on_job`."""

    def __init__(
        self,
        journal: Journal,
        connectors: Mapping[str, Connector[Any]],
        lanes: Lanes,
        *,
        on_recorded: Callable[[Recorded], None],
        on_job: Callable[[Job], None],
    ) -> None:
        self._journal = journal
        self._connectors = connectors
        self._lanes = lanes
        self._on_recorded = on_recorded
        self._on_job = on_job

    async def listed(self, limit: int = _LISTED) -> list[dict[str, Any]]:
        kept = await self._journal.read(partial(rows.listed, limit=min(limit, _LISTED)))
        return [*self._lanes.refused(), *kept][:limit]

    async def shown(self, id: str) -> dict[str, Any] | None:
        """One failure whole; of a delivery with what it held, as text."""
        if rows.is_delivery(id):
            found = await self._journal.read(partial(rows.delivery, id=id))
            return {**found[0], **_content(found[1])} if found else None
        refused = [failure for failure in self._lanes.refused() if failure["id"] == id]
        if refused:
            return refused[0]
        row = await self._journal.find_attachment(id)
        return {"id": id, "kind": "attachment", **row.view} if row else None

    async def retry_all(self) -> list[dict[str, Any]]:
        """Try everything again, however much it is."""
        ids = [failure["id"] for failure in self._lanes.refused()]
        ids += await self._journal.read(rows.retriable)
        results: list[dict[str, Any]] = []
        for start in range(0, len(ids), _TOGETHER):
            tried = await asyncio.gather(*map(self.retry, ids[start : start + _TOGETHER]))
            # What was mended or erased in between is no failure any more.
            results += [result for result in tried if result is not None]
        return results

    async def retry(self, id: str) -> dict[str, Any] | None:
        """Try one again; None if there is no such failure."""
        if rows.is_delivery(id):
            return await self._replay(id)
        if id.startswith("evt_"):
            known = self._lanes.retry(id)
            detail = "the core is asked again"
            return {"id": id, "status": "accepted", "detail": detail} if known else None
        row = await self._journal.find_attachment(id)
        if row is None:
            return None
        job = await self._journal.retry(row.message, row.position)
        if job is None:
            return {"id": id, "status": "unchanged", "detail": f"it is {row.state}"}
        self._on_job(job)
        return {"id": id, "status": "accepted", "detail": "it is fetched again"}

    async def _replay(self, id: str) -> dict[str, Any] | None:
        """Read a delivery again, perhaps with a newer connector; what is known already is not repeated."""
        found = await self._journal.read(partial(rows.delivery, id=id))
        if found is None:
            return None
        readings = read(found[1], self._connectors)
        legible = tuple(r for r in readings if not isinstance(r.event, Unknown))
        reasons = [r.event.reason for r in readings if isinstance(r.event, Unknown)]
        recorded = await self._journal.record(Batch((), legible))
        self._on_recorded(recorded)
        await self._journal.settle(id, "; ".join(reasons)[:500] or None)
        if reasons:
            return {"id": id, "status": "failed", "detail": reasons[0]}
        return {"id": id, "status": "done", "detail": f"{len(recorded.entries)} new events"}


def _content(accepted: Accepted) -> dict[str, Any]:
    text = accepted.body[:_SHOWN].decode("utf-8", "replace")
    return {"query": dict(accepted.query), "body": text, "bytes": len(accepted.body)}
