"""Expiry and erasure in the journal: old media, texts and deduplication records, and whole conversations."""

from urllib.parse import quote

import orjson

from gateway.identifiers import Identifiers, attachment_id
from gateway.journal.records import NOBODY, Informed, OutboxEntry, Recorded

from .attachments import announce
from .files import delete_files_of
from .message_keys import all_messages_of, conversation_of_message, messages_of
from .outbox import Outbox
from .reports import add, drop
from .taken import forget_conversation
from .transaction import NO_LIMIT, Transaction
from .views import EFFECTIVE

#: Maximum rows that are removed in one transaction, so that other writes do not wait long.
_BATCH = 200

_BLANK = orjson.dumps({"text": None, "transcript": "", "reply_to": None})

#: Only the id of an erased message remains.
_BLANK_MESSAGES = """UPDATE message SET platform_id = '', sent_at = 0, content = x'7b7d'
    WHERE key BETWEEN ? AND ?"""

#: The row remains, so that no other conversation ever gets its key, which is part of the keys of its messages.
_BLANK_CONVERSATION = """UPDATE conversation SET id = 'erased_' || key, account = '', consumer = '', name = NULL,
    agents = '[]', aliases = '[]', route = NULL WHERE key = ?"""


def expire_media(
    connection: Transaction, ids: Identifiers, outbox: Outbox, before: int
) -> Recorded:
    """Expire a batch of media that became ready before `before` (ms), the oldest first."""
    rows = connection.execute(
        "SELECT message, position FROM attachment WHERE state = 'ready' AND ended_at < ? "
        "AND renditions IS NOT NULL AND renditions != x'7b7d' ORDER BY ended_at LIMIT ?",
        (before, _BATCH),
    ).fetchall()
    # Files that cannot be shown, of which the original is kept.
    rows += connection.execute(
        "SELECT message, position FROM attachment WHERE state = 'rejected' AND renditions != x'7b7d' "
        "AND ended_at < ? ORDER BY ended_at LIMIT ?",
        (before, _BATCH - len(rows)),
    ).fetchall()
    return _expire(connection, ids, outbox, rows, "the retention time is over")


def expire_photos_beyond(
    connection: Transaction, ids: Identifiers, outbox: Outbox, message: int, keep: int
) -> Recorded:
    """Expire the oldest photos of a message's conversation beyond the newest `keep`."""
    rows = connection.execute(
        "SELECT a.message, a.position FROM attachment a JOIN message m ON m.key = a.message "
        "WHERE m.key BETWEEN ? AND ? "
        "AND a.kind IN ('photo', 'sticker') AND a.state = 'ready' AND a.renditions != x'7b7d' "
        "ORDER BY m.key DESC, a.position DESC LIMIT ? OFFSET ?",
        (*messages_of(conversation_of_message(message)), NO_LIMIT, keep),
    ).fetchall()
    return _expire(connection, ids, outbox, rows, f"only the newest {keep} photos are kept")


def _expire(
    connection: Transaction,
    ids: Identifiers,
    outbox: Outbox,
    rows: list[tuple[int, int]],
    detail: str,
) -> Recorded:
    entries: list[OutboxEntry] = []
    # The workspace recognises the texts of `detail` (`workspace/text/wording.py`).
    for message, position in rows:
        connection.execute(
            "UPDATE attachment SET state = 'failed', reason = 'expired', detail = ?, renditions = NULL, "
            "media = NULL, details = ?, revision = revision + 1 WHERE message = ? AND position = ?",
            (detail, _details_without_file(connection, message, position), message, position),
        )
        (id,) = connection.execute("SELECT id FROM message WHERE key = ?", (message,)).fetchone()
        delete_files_of(connection, [attachment_id(id, position)])
        entries.append(announce(connection, ids, outbox, message, position))
    return Recorded(entries=tuple(entries))


def _details_without_file(connection: Transaction, message: int, position: int) -> bytes | None:
    """Return an attachment's details without what was measured in its file: a waveform shows how somebody spoke."""
    (stored,) = connection.execute(
        "SELECT details FROM attachment WHERE message = ? AND position = ?", (message, position)
    ).fetchone()
    if not stored:
        return None
    details = orjson.loads(stored)
    for name in ("waveform", "charsets"):
        details.pop(name, None)
    return orjson.dumps(details)


def expire_texts(connection: Transaction, texts_before: int, memory_before: int) -> int:
    """Blank messages received before `texts_before` (ms), and forget facts recorded before `memory_before`.

    Works on one batch, found by indexes, because a journal may hold millions of rows. Only the id of a blank message
    remains, to recognise duplicates. Returns the number of changed rows.
    """
    changed = _blank_messages(connection, texts_before) + _forget_texts(connection, texts_before)
    connection.execute("DELETE FROM early WHERE seen_at < ?", (memory_before,))
    for old in (
        "DELETE FROM unreadable WHERE id IN (SELECT id FROM unreadable WHERE received_at < ? LIMIT ?)",
        "DELETE FROM viewed WHERE key IN (SELECT key FROM viewed WHERE at < ? LIMIT ?)",
    ):
        changed += connection.execute(old, (texts_before, _BATCH)).rowcount
    changed += connection.execute(
        "DELETE FROM fact WHERE id IN (SELECT id FROM fact WHERE seen_at < ? LIMIT ?)",
        (memory_before, _BATCH),
    ).rowcount
    return changed


def _blank_messages(connection: Transaction, before: int) -> int:
    # Messages that have text have a platform_id: see the index `message_words`.
    keys = connection.execute(
        "SELECT key FROM message WHERE platform_id != '' AND received_at < ? LIMIT ?",
        (before, _BATCH),
    ).fetchall()
    connection.executemany(
        "UPDATE attachment SET name = NULL, details = NULL, "
        "media = CASE WHEN state = 'pending' THEN media END WHERE message = ?",
        keys,
    )
    connection.executemany(
        "UPDATE message SET content = ?, platform_id = '' WHERE key = ?",
        [(_BLANK, key) for (key,) in keys],
    )
    return len(keys)


def _forget_texts(connection: Transaction, before: int) -> int:
    """Forget agents' texts and their parts."""
    keys = connection.execute(
        "SELECT key FROM outgoing WHERE accepted_at < ? LIMIT ?", (before, _BATCH)
    ).fetchall()
    connection.executemany("DELETE FROM part WHERE outgoing = ?", keys)
    connection.executemany("DELETE FROM outgoing WHERE key = ?", keys)
    return len(keys)


def erase(
    connection: Transaction, conversation: str, informed: Informed = NOBODY, request_id: str = ""
) -> Recorded | None:
    """Remove a conversation and all that were merged with it, and list its files for deletion; None if it is unknown.

    Of a message only its id remains, a hash. It recognises a repeat by the platform, so that an erased message does
    not come back with the next retry. Free pages still contain the deleted data and must be removed as well. Until its
    platform has erased it, too, a report holds the consumer's address.
    """
    rows = connection.execute(
        f"SELECT o.key, o.id, o.connector, o.account, o.consumer, o.aliases FROM conversation s {EFFECTIVE} "
        "JOIN conversation o ON o.key = c.key OR o.merged_into = c.key WHERE s.id = ?",
        (conversation,),
    ).fetchall()
    if not rows:
        return None
    addresses: set[str] = set()
    has_report = False
    for key, id, connector, account, consumer, aliases in rows:
        _erase_one(connection, key, id)
        if consumer and connector in informed.forget:
            where = {"account": account, "to": consumer}
            add(connection, "forget", str(key), key, connector, where, request_id)
            has_report = True
        addresses |= {consumer, *orjson.loads(aliases)}
    # Unreadable deliveries can only be found by the consumer's ids in their raw bytes.
    for written in {form for one in addresses for form in (one, quote(one, safe=""))} - {""}:
        connection.execute(
            "DELETE FROM unreadable WHERE instr(delivery, ?) > 0", (written.encode(),)
        )
    return Recorded(erased=tuple(int(key) for key, *_ in rows), new_reports=has_report)


def _erase_one(connection: Transaction, key: int, id: str) -> None:
    key_range = all_messages_of(key)
    attachments = connection.execute(
        "SELECT m.id, a.position FROM attachment a JOIN message m ON m.key = a.message "
        "WHERE m.key BETWEEN ? AND ?",
        key_range,
    )
    delete_files_of(connection, [attachment_id(id, position) for id, position in attachments])
    connection.execute("DELETE FROM attachment WHERE message BETWEEN ? AND ?", key_range)
    connection.execute(_BLANK_MESSAGES, key_range)
    connection.execute("DELETE FROM outbox WHERE conversation = ?", (key,))
    connection.execute(
        "DELETE FROM part WHERE outgoing IN (SELECT key FROM outgoing WHERE conversation = ?)",
        (key,),
    )
    connection.execute("DELETE FROM outgoing WHERE conversation = ?", (key,))
    connection.execute(_BLANK_CONVERSATION, (key,))
    connection.execute("DELETE FROM alias WHERE conversation = ?", (key,))
    connection.execute("DELETE FROM viewed WHERE conversation = ?", (id,))
    drop(connection, key)
    forget_conversation(connection, key)
    # The built-in workspace has yet to erase it, too.
    connection.execute(
        "INSERT INTO forgotten (conversation) VALUES (?) ON CONFLICT DO NOTHING", (id,)
    )
