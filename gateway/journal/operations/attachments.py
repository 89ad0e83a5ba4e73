"""Attachments in the journal: which are due, their outcomes, and the events that announce them."""

from collections.abc import Sequence
from typing import Any

import orjson

from gateway.events.envelope import about
from gateway.events.event_types import Echoed, EventType, Received, Updated
from gateway.identifiers import Identifiers, attachment_id, parse_attachment_id
from gateway.journal.records import AttachmentRow, Informed, Job, OutboxEntry, Outcome, Recorded
from gateway.timestamps import now_ms

from .message_keys import conversation_of_message, is_echo
from .outbox import Outbox
from .reports import note_outcome
from .shards import Shards, within
from .transaction import NO_LIMIT, Transaction
from .views import IN_CONVERSATION, OWN_CONVERSATION, load_attachment, load_message, token_of

_JOBS = (
    "SELECT a.message, a.position, a.due, c.key, c.connector, a.media, "
    "a.attempts > 0 AND a.detail = 'unreachable' "
    f"FROM attachment a JOIN message m ON m.key = a.message {IN_CONVERSATION}"
)


def _job(
    message: int,
    position: int,
    due: int,
    conversation: int,
    connector: str,
    media: bytes | None,
    is_late: int,
) -> Job:
    return Job(message, position, due, conversation, connector, media or b"", bool(is_late))


def pending(
    connection: Transaction, limit: int | None, after: int, shards: Shards | None = None
) -> list[Job]:
    """Return the pending attachments of these shards that are due after `after` (ms), the earliest first."""
    rows = connection.execute(
        f"{_JOBS} WHERE a.state = 'pending' AND a.due > ? AND {within('(a.message >> 32)', shards)} "
        "ORDER BY a.due LIMIT ?",
        (after, NO_LIMIT if limit is None else limit),
    )
    return [_job(*row) for row in rows]


def jobs_of(connection: Transaction, messages: Sequence[int]) -> list[Job]:
    """Return the pending attachments of messages."""
    numbers = ", ".join(str(int(message)) for message in messages)
    rows = connection.execute(f"{_JOBS} WHERE a.state = 'pending' AND a.message IN ({numbers})")
    return [_job(*row) for row in rows]


def load(connection: Transaction, message: int, position: int) -> AttachmentRow | None:
    """Return an attachment with the data that a worker needs to fetch it."""
    row = connection.execute(
        "SELECT m.id, c.id, c.connector, m.received_at, a.kind, a.state, a.reason, a.attempts, a.due, a.media, "
        "a.renditions, m.content "
        f"FROM attachment a JOIN message m ON m.key = a.message {IN_CONVERSATION} "
        "WHERE a.message = ? AND a.position = ?",
        (message, position),
    ).fetchone()
    if row is None:
        return None
    (message_id, conversation_id, connector, received_at, kind, state, *more) = row
    reason, attempts, due, media, renditions, content = more
    return AttachmentRow(
        attachment_id(message_id, position),
        message,
        position,
        message_id,
        conversation_id,
        connector,
        received_at,
        kind,
        state,
        reason,
        attempts,
        due,
        orjson.loads(media) if media else None,
        load_attachment(connection, message, position),
        token_of(renditions),
        str(orjson.loads(content).get("request_id", "")),
    )


def find(connection: Transaction, id: str) -> AttachmentRow | None:
    """Return an attachment by its public id."""
    parsed = parse_attachment_id(id)
    if parsed is None:
        return None
    row = connection.execute("SELECT key FROM message WHERE id = ?", (parsed[0],)).fetchone()
    return load(connection, row[0], parsed[1]) if row else None


def postpone(connection: Transaction, message: int, position: int, due: int, reason: str) -> None:
    """Schedule the next attempt for `due` (ms); operators see `reason`, why the last one failed."""
    connection.execute(
        "UPDATE attachment SET attempts = attempts + 1, due = ?, detail = ? "
        "WHERE message = ? AND position = ? AND state = 'pending'",
        (due, reason, message, position),
    )


def give_name(connection: Transaction, message: int, position: int, name: str) -> None:
    """Set the name of a pending attachment, which only the platform's look-up revealed."""
    connection.execute(
        "UPDATE attachment SET name = ? WHERE message = ? AND position = ? AND state = 'pending'",
        (name, message, position),
    )


def finish(
    connection: Transaction,
    ids: Identifiers,
    outbox: Outbox,
    message: int,
    position: int,
    outcome: Outcome,
    informed: Informed,
) -> Recorded | None:
    """End a pending attachment, and announce it: in the message's event if that is still held, else in an update.

    Returns None if the attachment was no longer pending.
    """
    cursor = connection.execute(
        "UPDATE attachment SET state = ?, reason = ?, code = ?, detail = ?, name = coalesce(?, name), width = ?, "
        "height = ?, duration = ?, renditions = ?, ended_at = ?, due = NULL, revision = revision + 1, "
        "media = CASE WHEN CAST(? AS text) != 'ready' THEN media END, kind = coalesce(?, kind), "
        "details = coalesce(?, details) WHERE message = ? AND position = ? AND state = 'pending'",
        (
            *(
                outcome.state,
                outcome.reason,
                outcome.code,
                outcome.detail,
                outcome.name,
                outcome.width,
            ),
            *(outcome.height, outcome.duration, orjson.dumps(outcome.renditions or {}), now_ms()),
            *(outcome.state, outcome.kind, _details_with(connection, message, position, outcome)),
            *(message, position),
        ),
    )
    if cursor.rowcount == 0:
        return None
    has_report = note_outcome(connection, informed, message, position)
    held = connection.execute(
        "SELECT conversation, key FROM outbox WHERE message = ? AND body IS NULL", (message,)
    ).fetchone()
    if held is None:
        entry = announce(connection, ids, outbox, message, position)
        return Recorded(entries=(entry,), new_reports=has_report)
    waiting = connection.execute(
        "SELECT 1 FROM attachment WHERE message = ? AND state = 'pending'", (message,)
    ).fetchone()
    frozen = () if waiting else (freeze(connection, *held),)
    return Recorded(frozen=frozen, new_reports=has_report)


def _details_with(
    connection: Transaction, message: int, position: int, outcome: Outcome
) -> bytes | None:
    """Return the attachment's details with those of the outcome; None if there is nothing to add."""
    found = dict(outcome.details or {})
    if outcome.source is not None:
        found["source"] = outcome.source
    if not found:
        return None
    row = connection.execute(
        "SELECT details FROM attachment WHERE message = ? AND position = ?", (message, position)
    ).fetchone()
    details = orjson.loads(row[0]) if row and row[0] else {}
    return orjson.dumps({**details, **found})


def retry(connection: Transaction, message: int, position: int) -> Recorded | None:
    """Make an attachment pending again; None unless it has failed or was rejected and can be fetched again."""
    due = now_ms()
    cursor = connection.execute(
        "UPDATE attachment SET state = 'pending', reason = NULL, code = NULL, detail = NULL, attempts = 0, due = ?, "
        "ended_at = NULL, renditions = NULL WHERE message = ? AND position = ? AND state IN ('failed', 'rejected') "
        "AND media IS NOT NULL",
        (due, message, position),
    )
    if not cursor.rowcount:
        return None
    row = connection.execute(
        f"{_JOBS} WHERE a.message = ? AND a.position = ?", (message, position)
    ).fetchone()
    return Recorded(jobs=(_job(*row),))


def freeze(connection: Transaction, lane: int, entry: int) -> OutboxEntry:
    """Give a held event its final body, with the attachments as they are now."""
    row = connection.execute(
        "SELECT event_id, message, body FROM outbox WHERE conversation = ? AND key = ?",
        (lane, entry),
    ).fetchone()
    if row is None:
        raise LookupError(f"event {entry} of lane {lane} is not in the outbox")
    event_id, message, body = row
    if body is None:
        conversation, view, received_at = load_message(connection, message, OWN_CONVERSATION)
        shown: Any = view
        data: Received | Echoed = {"conversation": conversation, "message": shown}
        type: EventType = "message.echoed" if is_echo(message) else "message.received"
        body = about(event_id, type, received_at, data, view.get("request_id"))
        connection.execute(
            "UPDATE outbox SET body = ?, hold_until = NULL WHERE conversation = ? AND key = ?",
            (body, lane, entry),
        )
    return OutboxEntry(entry, lane, event_id, None, body)


def announce(
    connection: Transaction, ids: Identifiers, outbox: Outbox, message: int, position: int
) -> OutboxEntry:
    """Put an `attachment.updated` event into the lane of the conversation."""
    conversation, view, _ = load_message(connection, message)
    changed = [
        attachment
        for attachment in view["attachments"]
        if attachment["id"] == attachment_id(view["id"], position)
    ]
    (revision,) = connection.execute(
        "SELECT revision FROM attachment WHERE message = ? AND position = ?", (message, position)
    ).fetchone()
    event_id = ids.event("attachment.updated", changed[0]["id"], str(revision))
    shown: Any = {**view, "attachments": changed}
    data: Updated = {"conversation": conversation, "message": shown}
    body = about(event_id, "attachment.updated", now_ms(), data, view.get("request_id"))
    (lane,) = connection.execute(
        "SELECT coalesce(merged_into, key) FROM conversation WHERE key = ?",
        (conversation_of_message(message),),
    ).fetchone()
    return outbox.put(connection, lane, event_id, message=message, body=body)
