"""Locks: what the writer's session holds. Each is an advisory lock, which ends with the session.

So a node that has lost its session can commit nothing for what it owned, and there are no epochs and no leases.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.journal.errors import JournalUnavailable, JournalUnusable
from gateway.journal.operations.shards import ALL_SHARDS
from gateway.journal.operations.transaction import Transaction
from gateway.observability.metrics import FENCED

from .adapters import Bigints
from .session import Connection
from .transaction import PostgresqlTransaction

#: Several journals may be in one database, each in a schema of its own; the number of a table is different in each.
_KEY = "(CAST(CAST('meta' AS regclass) AS oid)::bigint << 32) | number"
_NUMBERS = "unnest(CAST(? AS bigint[])) AS wanted (number)"
_TRY = f"SELECT number, pg_try_advisory_lock({_KEY}) FROM {_NUMBERS}"
_GIVE = f"SELECT pg_advisory_unlock({_KEY}) FROM {_NUMBERS}"
_SEEN = """SELECT CAST(objid AS bigint), CAST(pid AS bigint) FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND objsubid = 1 AND classid = CAST('meta' AS regclass)::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""

#: The server ends sessions that are silent, but not one that waits for the rest of a pipeline. A node that says nothing
#: about itself (every second) and whose writer asks for nothing (four times a second) is frozen or cut off in one.
_END_SILENT = """WITH silent AS MATERIALIZED (
        SELECT n.name, l.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        JOIN node n ON n.number = CAST(l.objid AS bigint) - ?
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.classid = CAST('meta' AS regclass)::oid AND l.pid != pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND n.seen_at < clock_timestamp() - interval '2.5 s'
        AND a.query_start < clock_timestamp() - interval '2.2 s')
    SELECT name, pg_terminate_backend(pid) FROM silent"""
#: Added to a node's number: its proof of life, and its right to its name.
_LIFE, _NAME = 1 << 28, 1 << 29


class NotOwner(JournalUnavailable):
    """Another node may own the shard."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The locks of all nodes: which nodes live, and which of them owns each shard that is not free."""

    live: frozenset[int]
    owners: dict[int, int | None]


def life_of(node: int) -> int:
    """Return the number of the lock by which a node shows that it lives and works."""
    return _LIFE + node


def name_of(node: int) -> int:
    """Return the number of the lock by which a process has a node's name."""
    return _NAME + node


class Locks:
    """The locks of the present session, used in the writer's thread only."""

    def __init__(self) -> None:
        self._session: Any = None
        self._held: set[int] = set()

    def held(self, transaction: Transaction) -> set[int]:
        """Return what this session holds; a new session holds nothing."""
        assert isinstance(transaction, PostgresqlTransaction)
        session = transaction.session
        if session is not self._session:
            self._session, self._held = session, set()
        return self._held

    def take(self, transaction: Transaction, *numbers: int) -> frozenset[int]:
        """Take those of these locks that no other session holds; return all of them that are ours now.

        They stay, even if the transaction is undone.
        """
        held = self.held(transaction)
        if wanted := [number for number in numbers if number not in held]:
            rows = transaction.execute(_TRY, (Bigints(wanted),))
            held.update(number for number, is_ours in rows if is_ours)
        return frozenset(held.intersection(numbers))

    def give(self, transaction: Transaction, *numbers: int) -> None:
        """Release locks, at once and not with the end of the transaction."""
        held = self.held(transaction)
        if given := held.intersection(numbers):
            transaction.execute(_GIVE, (Bigints(given),)).fetchall()
            held -= given

    def require(self, transaction: Transaction, *shards: int) -> None:
        """Raise NotOwner unless this session holds all of these shards, and so until the transaction has ended."""
        held = self.held(transaction)
        if not held.issuperset(shards):
            FENCED.inc()
            raise NotOwner("another node owns the conversation or the connector by now")


def seen(transaction: Transaction) -> Seen:
    """Return the locks of all nodes."""
    return _seen(transaction.execute(_SEEN))


def look(transaction: Transaction) -> tuple[Seen, list[str]]:
    """Return the locks of all nodes, and the names of those that are frozen or cut off, whose sessions it ends."""
    # Both are sent before the first is awaited.
    silent, locks = transaction.execute(_END_SILENT, (_LIFE,)), transaction.execute(_SEEN)
    return _seen(locks), [name for name, _ in silent]


def _seen(locks: Iterable[tuple[int, int]]) -> Seen:
    rows = list(locks)
    nodes = {pid: number - _LIFE for number, pid in rows if _LIFE <= number < _NAME}
    owners = {number: nodes.get(pid) for number, pid in rows if number < _LIFE}
    return Seen(frozenset(nodes.values()), owners)


def claim_all(connection: Connection) -> None:
    """Take all shards for this session, so that no node works; raises JournalUnusable if one does."""
    transaction, locks = PostgresqlTransaction(connection), Locks()
    if seen(transaction).live or locks.take(transaction, *sorted(ALL_SHARDS)) != ALL_SHARDS:
        raise JournalUnusable(
            "gateway.journal: another Airlock process uses the database; stop it, or name a different database"
        )
