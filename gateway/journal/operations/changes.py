"""Changes of recorded messages: the sender edits or deletes them.

Everything that is shown of a message later shows it as it is then.
"""

import orjson

from gateway.identifiers import Identifiers, attachment_id
from gateway.journal.records import OutboxEntry

from .attachments import announce
from .files import delete_files_of
from .outbox import Outbox
from .taken import forget_edits
from .transaction import Transaction
from .views import load_message

_DELETED = {"text": None, "transcript": "", "reply_to": None, "deleted": True}
#: What a deleted message keeps, so that later lines of the log still name the request that brought it.
_KEPT = ("request_id",)


def edit(connection: Transaction, message_id: str, text: str | None) -> None:
    """Change the text, or the caption, of a message; nothing happens if it is not known."""
    row = connection.execute(
        "SELECT m.key, m.content, EXISTS (SELECT 1 FROM attachment a WHERE a.message = m.key) "
        "FROM message m WHERE m.id = ? AND m.platform_id != ''",
        (message_id,),
    ).fetchone()
    if row is None:
        return
    key, stored, has_attachments = row
    content = {**orjson.loads(stored), "text": text}
    if not has_attachments:
        content["transcript"] = text or ""
    connection.execute("UPDATE message SET content = ? WHERE key = ?", (orjson.dumps(content), key))


def placeholder(connection: Transaction, message_id: str) -> int | None:
    """Return the key of a message that holds nothing but a line that something could not be shown."""
    rows = connection.execute(
        "SELECT m.key, m.content, a.kind FROM message m JOIN attachment a ON a.message = m.key "
        "WHERE m.id = ? AND m.platform_id != ''",
        (message_id,),
    ).fetchall()
    if len(rows) != 1 or rows[0][2] != "unsupported" or orjson.loads(rows[0][1]).get("text"):
        return None
    return int(rows[0][0])


def transcript_of(connection: Transaction, message_id: str) -> str | None:
    """Return the transcript of a message as it is now; None if the message is not known."""
    row = connection.execute("SELECT key FROM message WHERE id = ?", (message_id,)).fetchone()
    return str(load_message(connection, row[0])[1]["transcript"]) if row else None


def is_deleted(connection: Transaction, message_id: str) -> bool:
    """Whether its sender deleted a message."""
    row = connection.execute("SELECT content FROM message WHERE id = ?", (message_id,)).fetchone()
    return row is not None and bool(orjson.loads(row[0]).get("deleted"))


def unsend(
    connection: Transaction, ids: Identifiers, outbox: Outbox, message_id: str
) -> list[OutboxEntry]:
    """Delete the text and files of a message that its sender deleted; the id remains, to recognise duplicates.

    Attachments that were announced as pending or ready are announced as failed.
    """
    read = "SELECT key, content FROM message WHERE id = ?"
    key, stored = connection.execute(read, (message_id,)).fetchone() or (None, b"{}")
    if key is None:
        return []
    content = orjson.loads(stored)
    kept = {name: content[name] for name in _KEPT if name in content}
    found = connection.execute(
        "SELECT position, state IN ('pending', 'ready') OR coalesce(renditions, x'7b7d') != x'7b7d' "
        "FROM attachment WHERE message = ?",
        (key,),
    ).fetchall()
    delete_files_of(connection, [attachment_id(message_id, position) for position, _ in found])
    forget_edits(connection, key, message_id)
    connection.execute(
        "UPDATE message SET content = ? WHERE key = ?", (orjson.dumps({**_DELETED, **kept}), key)
    )
    connection.execute(
        "UPDATE attachment SET state = 'failed', reason = 'gone', code = NULL, detail = 'deleted by the sender', "
        "name = NULL, details = NULL, renditions = NULL, media = NULL, due = NULL, revision = revision + 1 "
        "WHERE message = ?",
        (key,),
    )
    held = connection.execute(
        "SELECT 1 FROM outbox WHERE message = ? AND body IS NULL", (key,)
    ).fetchone()
    changed = [] if held else [position for position, was_announced in found if was_announced]
    return [announce(connection, ids, outbox, key, position) for position in changed]
