"""Views: rows in the form in which events and the API show them."""

from collections.abc import Sequence
from typing import Any

import orjson

from gateway.events.attachments import Attachment
from gateway.events.messages import Content, ReceivedMessage
from gateway.events.types import Conversation
from gateway.identifiers import attachment_id
from gateway.timestamps import rfc3339

from .transaction import Transaction

CONVERSATION = "c.id, c.connector, c.platform, c.account, c.consumer, c.name"

_ATTACHMENT = (
    "a.message, a.position, a.kind, a.state, a.reason, a.detail, a.name, a.width, a.height, a.duration, "
    "a.renditions, a.details"
)
#: The sequence is the lower half of the key (see `message_keys.py`).
MESSAGE = "m.key, m.id, m.platform_id, m.key & 0xffffffff, m.sent_at, m.received_at, m.content"
IN_CONVERSATION = "JOIN conversation c ON c.key = m.key >> 32"


def conversation_of(row: Sequence[Any]) -> Conversation:
    """Return a conversation from the columns of `CONVERSATION`."""
    id, connector, platform, account, consumer, name = row
    return {
        "id": id,
        "connector": connector,
        "platform": platform,
        "account": account,
        "consumer": {"id": consumer, "name": name},
    }


def attachment_view(message_id: str, row: tuple[Any, ...]) -> Attachment:
    (
        _,
        position,
        kind,
        state,
        reason,
        detail,
        name,
        width,
        height,
        duration,
        renditions,
        details,
    ) = row
    view: Attachment = {
        "id": attachment_id(message_id, position),
        "kind": kind,
        "state": state,
        "reason": reason,
        "name": name,
        "width": width,
        "height": height,
        "duration_seconds": duration,
        "renditions": orjson.loads(renditions) if renditions else {},
    }
    if detail:
        view["detail"] = detail
    if details:
        view.update(orjson.loads(details))
    return view


def message_view(connection: Transaction, row: tuple[Any, ...]) -> ReceivedMessage:
    """Return a message with its attachments, from the columns of `MESSAGE`."""
    (key, id, platform_id, sequence, sent_at, received_at, stored) = row
    content: Content = orjson.loads(stored)
    attachments = connection.execute(
        f"SELECT {_ATTACHMENT} FROM attachment a WHERE a.message = ? ORDER BY a.position", (key,)
    )
    return {
        "id": id,
        "platform_id": platform_id,
        "sequence": sequence,
        "sent_at": rfc3339(sent_at),
        "received_at": rfc3339(received_at),
        **content,
        "attachments": [attachment_view(id, attachment) for attachment in attachments],
    }


def load_message(connection: Transaction, key: int) -> tuple[Conversation, ReceivedMessage, int]:
    """Return a message by its key: conversation, view, and the time when it was received."""
    row = connection.execute(
        f"SELECT {CONVERSATION}, {MESSAGE} FROM message m {IN_CONVERSATION} WHERE m.key = ?",
        (key,),
    ).fetchone()
    if row is None:
        raise LookupError(f"message row {key} is not in the journal")
    return conversation_of(row[:6]), message_view(connection, row[6:]), row[11]


def load_attachment(connection: Transaction, key: int, position: int) -> Attachment:
    """Return the view of an attachment."""
    (id,) = connection.execute("SELECT id FROM message WHERE key = ?", (key,)).fetchone()
    row = connection.execute(
        f"SELECT {_ATTACHMENT} FROM attachment a WHERE a.message = ? AND a.position = ?",
        (key, position),
    ).fetchone()
    return attachment_view(id, row)
