"""What the harness reads in PostgreSQL itself, beside the nodes."""

import asyncio
from typing import Any

import psycopg

from tests.postgresql import Server

_OWNED = b"""SELECT CAST(objid AS bigint) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND objid < 64 AND classid = 'meta'::regclass::oid"""
_LIVE = b"""SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND objid::bigint BETWEEN 1 << 28 AND (1 << 29) - 1 AND classid = 'meta'::regclass::oid"""
#: Queries that must return no rows in the end.
_EMPTY = {
    "deliveries that were not parsed": b"SELECT stream, id FROM intake",
    "events that the core did not accept": b"SELECT key, event_id FROM outbox",
    "pending attachments": (
        b"SELECT message, position, attempts, begun, due FROM attachment WHERE state = 'pending'"
    ),
    "texts that are not settled": (
        b"SELECT outgoing, position, state FROM part WHERE state IN ('waiting', 'trying')"
    ),
    "files that were not deleted": b"SELECT attachment FROM doomed",
    "unreadable deliveries": b"SELECT connector, reason FROM unreadable",
}


class Database:
    """The schema of one run."""

    def __init__(self, server: Server, schema: str) -> None:
        self.server = server
        self.url = server.schema(schema)

    def url_through(self, port: int) -> str:
        """Return the URL by way of a relay."""
        return self.url.replace(f":{self.server.port}/", f":{port}/")

    async def owned_shards(self) -> int:
        """Return the number of shards that a live session holds; 0 while the server does not answer."""
        try:
            rows = await asyncio.to_thread(self._rows, _OWNED)
        except psycopg.Error:
            return 0
        return len(rows)

    def owner_of(self, conversation: str) -> str:
        """Return the name of the session that holds a conversation's shard."""
        query = _OWNED.replace(b"SELECT CAST(objid AS bigint)", b"SELECT pid")
        query += b" AND objid = (SELECT key & 63 FROM conversation WHERE id = $1)"
        ((pid,),) = self._rows(query, conversation)
        query = b"SELECT application_name FROM pg_stat_activity WHERE pid = $1"
        ((name,),) = self._rows(query, pid)
        return str(name)

    async def live_nodes(self) -> int:
        """Return the number of nodes that work."""
        rows = await asyncio.to_thread(self._rows, _LIVE)
        return len(rows)

    async def owner_pid(self, node: str) -> int:
        """Return the process of the server that serves a node's writing session; 0 if there is none."""
        query = b"SELECT pid FROM pg_stat_activity WHERE application_name = $1"
        rows = await asyncio.to_thread(self._rows, query, f"airlock writer {node}")
        return int(rows[0][0]) if rows else 0

    async def owned_by_others(self, pid: int) -> set[int]:
        """Return the shards that sessions other than `pid` hold."""
        rows = await asyncio.to_thread(self._rows, _OWNED + b" AND pid != $1", pid)
        return {shard for (shard,) in rows}

    async def until_owned(self, shards: int, seconds: float) -> float:
        """Return the seconds until so many shards are owned."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.timeout(seconds):
            while await self.owned_shards() != shards:
                await asyncio.sleep(0.02)
        return loop.time() - begun

    def left_over(self) -> list[str]:
        """Return complaints about unfinished work."""
        found = {what: self._rows(query) for what, query in _EMPTY.items()}
        return [f"{what} left in the journal: {rows[:5]}" for what, rows in found.items() if rows]

    def rows(self, query: bytes, *values: Any) -> list[tuple[Any, ...]]:
        return self._rows(query, *values)

    def _rows(self, query: bytes, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            self.url, autocommit=True, connect_timeout=3, cursor_factory=psycopg.RawCursor
        ) as connection:
            return connection.execute(query, values).fetchall()
