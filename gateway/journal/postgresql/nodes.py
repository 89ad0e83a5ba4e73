"""Nodes: what each says about itself every second, and what all of them hold together."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NoReturn, TypeVar

import psycopg
import structlog

from gateway.journal.errors import JournalUnavailable, JournalUnusable
from gateway.journal.frames import unpack
from gateway.journal.operations.shards import Shards, within
from gateway.journal.operations.transaction import Transaction
from gateway.journal.ownership import Ownership
from gateway.journal.records import Node
from gateway.observability.metrics import OLDEST_TRANSACTION, OLDEST_UNREAD
from gateway.timestamps import now_ms

from .locks import seen
from .outcomes import in_words
from .session import ADMINISTRATOR, Connection, Database
from .transaction import PostgresqlTransaction

T = TypeVar("T")
Read = Callable[[Callable[[Transaction], T]], Awaitable[T]]

log = structlog.get_logger(__name__)

_EVERY = 1.0
#: Bytes of a delivery that wait to be parsed and will be about one event.
_BYTES_OF_EVENT = 1000
#: Counting may take this share of the time of one session: a backlog of millions is not counted every second.
_SHARE = 0.05

_REGISTER = b"""INSERT INTO node (name, version) VALUES ($1, $2) ON CONFLICT (name)
    DO UPDATE SET version = excluded.version, started_at = now(), seen_at = now() RETURNING number"""
_SAY = b"UPDATE node SET seen_at = now(), waiting = $2, unread = $3 WHERE number = $1"
#: Pods have new names every day.
_FORGET = b"DELETE FROM node WHERE seen_at < now() - interval '1 day' AND number != $1"
_SUMS = """SELECT coalesce(sum(waiting), 0)::bigint, coalesce(sum(unread), 0)::bigint FROM node
    WHERE seen_at > now() - interval '10 s'"""
_OLDEST = """SELECT delivery FROM intake WHERE stream = ANY (CAST(? AS bigint[]))
    AND id = (SELECT min(id) FROM intake WHERE stream = ANY (CAST(? AS bigint[])))"""
#: Of other roles' transactions only a member of pg_monitor sees the age.
_OLDEST_TRANSACTION = """SELECT coalesce(extract(epoch FROM max(clock_timestamp() - xact_start)), 0)::float8
    FROM pg_stat_activity WHERE datname = current_database() AND pid != pg_backend_pid()"""
_TIME = '\'YYYY-MM-DD"T"HH24:MI:SS"Z"\''
_LISTED = f"""SELECT number, name, version, to_char(started_at AT TIME ZONE 'UTC', {_TIME}),
    to_char(seen_at AT TIME ZONE 'UTC', {_TIME}), waiting, unread FROM node ORDER BY name"""


def register(connection: Connection, name: str, version: str) -> int:
    """Return the node's number."""
    row = connection.execute(_REGISTER, (name, version)).fetchone()
    assert row is not None
    return int(row[0])


def nodes_of(url: str) -> list[Node]:
    """Return all nodes that were seen within a day; raises JournalUnusable if the database does not answer."""
    database = Database(url, "nodes")
    connection = database.open(ADMINISTRATOR)
    try:
        return listed(PostgresqlTransaction(connection))
    except psycopg.Error as exc:
        raise JournalUnusable(
            f"gateway.journal: {database} has no list of nodes: {in_words(exc)}; start a node of this version first"
        ) from exc
    finally:
        connection.close()


def listed(transaction: Transaction) -> list[Node]:
    """Return all nodes that were seen within a day."""
    locks = seen(transaction)
    return [
        Node(
            name,
            version,
            number in locks.live,
            started_at,
            seen_at,
            tuple(sorted(s for s, owner in locks.owners.items() if owner == number)),
            waiting,
            unread,
        )
        for number, name, version, started_at, seen_at, waiting, unread in transaction.execute(
            _LISTED
        )
    ]


def measure(transaction: Transaction, shards: Shards) -> tuple[int, int]:
    """Return the events and the bytes of deliveries that wait in these shards, and measure what has waited longest."""
    (waiting,) = transaction.execute(
        f"SELECT count(*) FROM outbox WHERE {within('conversation', shards)}"
    ).fetchone()
    (unread,) = transaction.execute(
        "SELECT coalesce(sum(octet_length(delivery)), 0)::bigint FROM intake WHERE stream = ANY (CAST(? AS bigint[]))",
        (sorted(shards),),
    ).fetchone()
    row = transaction.execute(_OLDEST, (sorted(shards), sorted(shards))).fetchone()
    oldest = next(iter(unpack(row[0])), None) if row is not None else None
    OLDEST_UNREAD.set(max(0, now_ms() - oldest.received_at) / 1000 if oldest else 0)
    (age,) = transaction.execute(_OLDEST_TRANSACTION).fetchone()
    OLDEST_TRANSACTION.set(age)
    return waiting, unread


class NodeReport:
    """Says what this node has to do, and knows what all nodes have."""

    def __init__(self, number: int, ownership: Ownership, say: Callable[..., None]) -> None:
        self._number = number
        self._ownership = ownership
        self._say = say
        self._own = (0, 0)
        self._count_at = 0.0

    async def run(self, read: "Read[tuple[int, int]]") -> NoReturn:
        loop = asyncio.get_running_loop()
        self._say(_FORGET, self._number)
        while True:
            try:
                if loop.time() >= self._count_at:
                    begun = loop.time()
                    self._own = await read(partial(measure, shards=self._ownership.shards))
                    self._count_at = loop.time() + (loop.time() - begun) / _SHARE
                self._say(_SAY, self._number, *self._own)
                waiting, unread = await read(lambda t: _two(t.execute(_SUMS).fetchone()))
                self._ownership.waiting = waiting + unread // _BYTES_OF_EVENT
            except JournalUnavailable as exc:
                log.warning("node_not_reported", error=str(exc))
            await asyncio.sleep(_EVERY)


def _two(row: tuple[int, int]) -> tuple[int, int]:
    return row[0], row[1]
