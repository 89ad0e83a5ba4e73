"""Reports in the journal: what platforms are informed of, kept until they have taken it."""

from collections.abc import Mapping
from typing import Any

import orjson

from gateway.journal.records import Informed, Report, ReportKind
from gateway.timestamps import now_ms

from .message_keys import is_echo
from .transaction import Transaction
from .views import IN_CONVERSATION


def add(
    connection: Transaction,
    kind: ReportKind,
    subject: str,
    conversation: int,
    connector: str,
    content: Mapping[str, Any],
    request_id: str = "",
) -> None:
    """Add a report; an earlier one of the same subject that was not taken yet is replaced.

    `request_id` names the request that led to it.
    """
    now, name = now_ms(), f"{kind}:{subject}"
    # The new report must get another key than the one before it, which may be on its way to the platform: it is
    # removed once that is done. The old row stays until then, because SQLite gives the highest key out again.
    replaced = connection.execute(
        "UPDATE report SET subject = 'replaced:' || key WHERE subject = ? RETURNING key", (name,)
    ).fetchone()
    connection.execute(
        "INSERT INTO report (subject, conversation, connector, kind, content, due, made_at, request_id) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (name, conversation, connector, kind, orjson.dumps(content), now, now, request_id),
    )
    if replaced is not None:
        done(connection, replaced[0])


def note_outcome(connection: Transaction, informed: Informed, message: int, position: int) -> bool:
    """Report the outcome of a consumer's attachment as it is now; False if its platform is not informed."""
    if not informed.outcome or is_echo(message):
        return False
    row = connection.execute(
        "SELECT c.key, c.connector, c.account, c.consumer, m.platform_id, a.state, a.kind, a.reason, a.code, "
        "a.width, a.height, a.duration, m.content, a.renditions "
        f"FROM attachment a JOIN message m ON m.key = a.message {IN_CONVERSATION} "
        "WHERE a.message = ? AND a.position = ?",
        (message, position),
    ).fetchone()
    if row is None or row[1] not in informed.outcome or not row[4]:
        return False
    key, connector, account, consumer, platform_id, *fields = row
    state, kind, reason, code, width, height, duration, stored, renditions = fields
    content = {
        "account": account,
        "to": consumer,
        "message_id": platform_id,
        "position": position,
        "state": state,
        "kind": kind,
        "reason": reason,
        "code": code,
        "width": width,
        "height": height,
        "duration_seconds": duration,
        "renditions": sorted(orjson.loads(renditions)) if renditions else [],
    }
    request_id = str(orjson.loads(stored).get("request_id", ""))
    add(connection, "outcome", f"{message}:{position}", key, connector, content, request_id)
    return True


def drop(connection: Transaction, conversation: int) -> None:
    """Remove the reports about a conversation that is erased."""
    connection.execute("DELETE FROM report WHERE conversation = ?", (conversation,))


def withdraw_closing(connection: Transaction, conversation: int) -> None:
    """Remove the report that a conversation was closed: it is open again."""
    connection.execute(
        "DELETE FROM report WHERE conversation = ? AND kind = 'closed'", (conversation,)
    )


def due(connection: Transaction, connector: str, now: int, limit: int) -> list[Report]:
    """Return the reports for a connector's platform that are due, the oldest first."""
    rows = connection.execute(
        "SELECT key, kind, content, attempts, made_at, request_id FROM report WHERE connector = ? AND due <= ? "
        "ORDER BY key LIMIT ?",
        (connector, now, limit),
    )
    return [Report(key, kind, orjson.loads(content), *more) for key, kind, content, *more in rows]


def waits_for_text(connection: Transaction, key: int) -> bool:
    """Whether a text that was accepted before this report is still to be sent to the same person."""
    row = connection.execute(
        "SELECT 1 FROM report r JOIN outgoing o ON o.conversation = r.conversation "
        "JOIN part p ON p.outgoing = o.key "
        "WHERE r.key = ? AND p.state IN ('waiting', 'trying') AND o.accepted_at <= r.made_at LIMIT 1",
        (key,),
    )
    return row.fetchone() is not None


def next_due(connection: Transaction, connector: str) -> int | None:
    """Return when the next report for a connector's platform is due (ms); None if there is none."""
    (found,) = connection.execute(
        "SELECT min(due) FROM report WHERE connector = ?", (connector,)
    ).fetchone()
    return None if found is None else int(found)


def done(connection: Transaction, key: int) -> None:
    """Remove a report that was taken, or given up."""
    connection.execute("DELETE FROM report WHERE key = ?", (key,))


def postpone(connection: Transaction, key: int, due: int) -> None:
    """Schedule the next attempt for `due` (ms)."""
    connection.execute(
        "UPDATE report SET attempts = attempts + 1, due = ? WHERE key = ?", (due, key)
    )


def expire(connection: Transaction, before: int) -> int:
    """Remove reports made before `before` (ms), also of connectors that no longer exist; return the number."""
    return connection.execute("DELETE FROM report WHERE made_at < ?", (before,)).rowcount
