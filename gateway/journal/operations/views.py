"""Views: rows in the form in which events and the API show them."""

from collections.abc import Sequence
from typing import Any

import orjson

from gateway.events.attachments import Attachment
from gateway.events.types import Conversation
from gateway.identifiers import attachment_id
from gateway.journal.records import TOKEN
from gateway.timestamps import rfc3339
from normalizer.events import TRANSCRIPT_LINES

from .event_content import explain
from .message_keys import is_echo
from .transaction import Transaction

CONVERSATION = (
    "c.id, c.connector, c.platform, c.account, c.consumer, c.name, c.aliases, c.reply_until"
)
CONVERSATION_COLUMNS = 8
#: The same for a conversation `s` that became a part of `c`: under its own id, with the consumer as they are now.
OWN_CONVERSATION = CONVERSATION.replace("c.id", "s.id")

_ATTACHMENT = (
    "a.message, a.position, a.kind, a.state, a.reason, a.code, a.detail, a.name, a.width, a.height, a.duration, "
    "a.renditions, a.details"
)
#: The sequence is the lower half of the key (see `message_keys.py`).
MESSAGE = "m.key, m.id, m.platform_id, m.key & 4294967295, m.sent_at, m.received_at, m.content"
#: `c` is the conversation that stays when conversation `s` was merged into it.
EFFECTIVE = "JOIN conversation c ON c.key = coalesce(s.merged_into, s.key)"
IN_CONVERSATION = f"JOIN conversation s ON s.key = m.key >> 32 {EFFECTIVE}"


def conversation_of(row: Sequence[Any]) -> Conversation:
    """Return a conversation from the columns of `CONVERSATION`."""
    id, connector, platform, account, consumer, name, aliases, reply_until = row
    return {
        "id": id,
        "connector": connector,
        "platform": platform,
        "account": account,
        "consumer": {"id": consumer, "name": name, "aliases": orjson.loads(aliases)},
        "reply_until": rfc3339(reply_until) if reply_until is not None else None,
    }


def attachment_view(message_id: str, row: tuple[Any, ...]) -> Attachment:
    (
        _,
        position,
        kind,
        state,
        reason,
        code,
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
        "renditions": _shown(renditions) if renditions else {},
    }
    explain(view, code, detail)
    if details:
        view.update(orjson.loads(details))
    return view


def _shown(renditions: bytes) -> Any:
    """Return the renditions without the tokens of their files, which only the store needs."""
    views = orjson.loads(renditions)
    for view in views.values():
        view.pop(TOKEN, None)
    return views


def token_of(renditions: bytes | None) -> str:
    """Return the token of the try that stored the renditions; "" if they have none."""
    views = orjson.loads(renditions).values() if renditions else ()
    return next((view.get(TOKEN, "") for view in views), "")


def message_view(connection: Transaction, row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a message or an echo with its attachments, from the columns of `MESSAGE`."""
    (key, id, platform_id, sequence, sent_at, received_at, stored) = row
    content: dict[str, Any] = orjson.loads(stored)
    rows = connection.execute(
        f"SELECT {_ATTACHMENT} FROM attachment a WHERE a.message = ? ORDER BY a.position", (key,)
    )
    attachments = [attachment_view(id, attachment) for attachment in rows]
    if attachments and content.get("transcript"):
        # The kind of an attachment may change once its bytes are seen. A blank transcript was deleted.
        lines = (TRANSCRIPT_LINES[attachment["kind"]] for attachment in attachments)
        content["transcript"] = "\n".join(lines)
    return {
        "id": id,
        "platform_id": platform_id,
        **({} if is_echo(key) else {"sequence": sequence}),
        "sent_at": rfc3339(sent_at),
        "received_at": rfc3339(received_at),
        **content,
        "attachments": attachments,
    }


def load_message(
    connection: Transaction, key: int, conversation: str = CONVERSATION
) -> tuple[Conversation, Any, int]:
    """Return a message by its key: conversation, view, and the time when it was received.

    `conversation` are the columns of the conversation: the one that stays, or `OWN_CONVERSATION`.
    """
    row = connection.execute(
        f"SELECT {conversation}, {MESSAGE} FROM message m {IN_CONVERSATION} WHERE m.key = ?",
        (key,),
    ).fetchone()
    if row is None:
        raise LookupError(f"message row {key} is not in the journal")
    found = row[CONVERSATION_COLUMNS:]
    return conversation_of(row[:CONVERSATION_COLUMNS]), message_view(connection, found), found[5]


def load_attachment(connection: Transaction, key: int, position: int) -> Attachment:
    """Return the view of an attachment."""
    (id,) = connection.execute("SELECT id FROM message WHERE key = ?", (key,)).fetchone()
    row = connection.execute(
        f"SELECT {_ATTACHMENT} FROM attachment a WHERE a.message = ? AND a.position = ?",
        (key, position),
    ).fetchone()
    return attachment_view(id, row)
