"""Replay: sends events again that the core has taken already, with their old ids and in their old order."""

from collections.abc import Sequence
from typing import Any

import orjson

from gateway.events.envelope import about
from gateway.journal.records import OutboxEntry, Recorded

from .outbox import Outbox
from .taken import OF_MESSAGES
from .transaction import Transaction
from .views import OWN_CONVERSATION, load_message


def lanes_to_replay(
    connection: Transaction, since: int, until: int, conversation: str | None
) -> list[int]:
    """Return the conversations with events that the core took since `since`, and that are not from after `until`."""
    rows = connection.execute(
        "SELECT DISTINCT conversation FROM taken WHERE taken_at >= ? AND time <= ?", (since, until)
    ).fetchall()
    found = [int(key) for (key,) in rows]
    if conversation is None:
        return found
    wanted = connection.execute(
        "SELECT o.key FROM conversation s JOIN conversation o "
        "ON coalesce(o.merged_into, o.key) = coalesce(s.merged_into, s.key) WHERE s.id = ?",
        (conversation,),
    ).fetchall()
    return [key for key in found if (key,) in {(one,) for (one,) in wanted}]


def replay(
    connection: Transaction, outbox: Outbox, lanes: Sequence[int], since: int, until: int
) -> Recorded:
    """Put the events of these conversations into the outbox again, as they are now."""
    entries: list[OutboxEntry] = []
    for lane in lanes:
        row = connection.execute(
            "SELECT coalesce(merged_into, key) FROM conversation WHERE key = ?", (lane,)
        ).fetchone()
        goes_to = int(row[0]) if row else lane
        rows = connection.execute(
            "SELECT key, event_id, type, time, message, attachment, body FROM taken "
            "WHERE conversation = ? AND taken_at >= ? AND time <= ? ORDER BY key",
            (lane, since, until),
        ).fetchall()
        for key, event_id, type, time, message, attachment, stored in rows:
            body = _body(connection, event_id, type, time, message, attachment, stored)
            connection.execute("DELETE FROM taken WHERE key = ?", (key,))
            if body is not None:
                entries.append(
                    outbox.put(connection, goes_to, event_id, message=message, body=body)
                )
    return Recorded(entries=tuple(entries))


def _body(
    connection: Transaction,
    event_id: str,
    type: Any,
    time: int,
    message: int | None,
    attachment: str | None,
    stored: bytes | None,
) -> bytes | None:
    """Return the body of an event as it is now; None if there is nothing left to say."""
    if type == "message.edited" and stored is not None:
        return _edited(connection, stored)
    if stored is not None or message is None or type not in OF_MESSAGES:
        return stored
    try:
        conversation, view, _ = load_message(connection, message, OWN_CONVERSATION)
    except LookupError:
        return None
    if attachment is not None:
        view["attachments"] = [one for one in view["attachments"] if one["id"] == attachment]
        if not view["attachments"]:
            return None
    elif not (view.get("transcript") or view.get("deleted")):
        return None  # its text has expired
    data: Any = {"conversation": conversation, "message": view}
    return about(event_id, type, time, data, request_id=view.get("request_id"))


def _edited(connection: Transaction, stored: bytes) -> bytes | None:
    """Return an edit with the text that the message has now."""
    event = orjson.loads(stored)
    edited = event["data"]["message"]
    row = connection.execute("SELECT key FROM message WHERE id = ?", (edited["id"],)).fetchone()
    if row is None:
        return stored
    _, view, _ = load_message(connection, row[0])
    if view.get("deleted") or "text" not in view:
        return None
    edited["text"], edited["transcript"] = view["text"], view["transcript"]
    return orjson.dumps(event)
