"""What nodes keep for each other: events that the core refuses, and the health of connectors."""

from collections.abc import Mapping
from typing import Any

import orjson

from gateway.journal.operations.transaction import Transaction
from gateway.journal.records import Recorded
from gateway.journal.stores.shards import ShardStore
from gateway.timestamps import rfc3339

_NOTE = "UPDATE outbox SET attempts = ?, refused_at = ? WHERE key = ?"
_REFUSED = """SELECT event_id, refused_at, attempts FROM outbox WHERE refused_at IS NOT NULL
    ORDER BY refused_at DESC LIMIT ?"""
_KEEP = """INSERT INTO connector_health (connector, health) VALUES (?, ?)
    ON CONFLICT (connector) DO UPDATE SET health = excluded.health"""


class BetweenNodes(ShardStore):
    """The part of the journal that only several nodes need."""

    async def note_refusal(self, entry: int, attempts: int, at: int) -> None:
        await self._submit(lambda t: _run(t, _NOTE, attempts, at, entry))

    async def refused_events(self, limit: int) -> list[dict[str, Any]]:
        rows = await self._read(lambda t: t.execute(_REFUSED, (limit,)).fetchall())
        return [
            {
                "id": event_id,
                "kind": "event",
                "at": rfc3339(refused_at),
                "attempts": attempts,
                "reason": "refused",
                "can_retry": True,
            }
            for event_id, refused_at, attempts in rows
        ]

    async def retry_event(self, id: str) -> bool:
        def retry(transaction: Transaction) -> Recorded | None:
            query = "SELECT 1 FROM outbox WHERE event_id = ? AND refused_at IS NOT NULL"
            is_refused = transaction.execute(query, (id,)).fetchone() is not None
            return Recorded(retried=(id,)) if is_refused else None

        return await self._announce(retry) is not None

    async def keep_health(self, connector: str, health: Mapping[str, Any]) -> None:
        content = orjson.dumps(dict(health))
        await self._submit(lambda t: _run(t, _KEEP, connector, content))

    async def kept_health(self, connector: str) -> dict[str, Any] | None:
        query = "SELECT health FROM connector_health WHERE connector = ?"
        row = await self._read(lambda t: t.execute(query, (connector,)).fetchone())
        return None if row is None else orjson.loads(row[0])


def _run(transaction: Transaction, statement: str, *values: Any) -> None:
    transaction.execute(statement, values)
