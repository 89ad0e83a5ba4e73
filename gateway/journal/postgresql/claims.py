"""Claims: who works on this journal. A claim is an advisory lock of the writer's session and ends with it."""

import time

from gateway.journal.errors import JournalUnusable

from .outcomes import SessionLost
from .schema import LOCKS
from .session import Connection

#: Several journals may be in one database, each in a schema of its own; the number of a table shows which one is meant.
_TRY = b"SELECT pg_try_advisory_lock($1::int, hashint8('meta'::regclass::oid::bigint))"
_POLL_EVERY = 0.1


def claim(connection: Connection) -> None:
    """Claim the whole journal for this session; raises SessionLost while another session has it."""
    if not _claimed(connection):
        raise SessionLost("another Airlock process uses the database")


def claim_within(connection: Connection, seconds: float) -> None:
    """Claim the journal at the start: a predecessor may take so long to end. Raises JournalUnusable after that."""
    deadline = time.monotonic() + seconds
    while not _claimed(connection):
        if time.monotonic() >= deadline:
            raise JournalUnusable(
                "gateway.journal: another Airlock process uses the database; stop it, or name a different database"
            )
        time.sleep(_POLL_EVERY)


def _claimed(connection: Connection) -> bool:
    row = connection.execute(_TRY, (LOCKS,)).fetchone()
    return row is not None and bool(row[0])
