"""Erasure of a person: what was asked for, how far it is, and the receipt. Also of one attachment.

The receipt holds no personal data but the id that was asked for, hashed. The id itself is kept until the erasure is
done, so that a restart can finish it.
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from gateway.identifiers import Identifiers, attachment_id
from gateway.journal.records import ErasureRequest, Recorded
from gateway.timestamps import now_ms, rfc3339

from .attachments import announce, freeze
from .consumer_ids import of_consumer, spellings
from .files import delete_files_of
from .message_keys import all_messages_of
from .outbox import Outbox
from .taken import forget_strays
from .transaction import Transaction


def request(connection: Transaction, new: ErasureRequest, consumer_hash: str) -> None:
    """Keep the request to erase a person."""
    connection.execute(
        "INSERT INTO erasure (id, consumer, consumer_hash, connector, requested_at, request_id) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (new.id, new.consumer, consumer_hash, new.connector, now_ms(), new.request_id),
    )


def unfinished(connection: Transaction) -> list[ErasureRequest]:
    """Return the erasures that are not done, the oldest first."""
    rows = connection.execute(
        "SELECT id, consumer, connector, request_id FROM erasure WHERE finished_at IS NULL ORDER BY requested_at"
    )
    return [ErasureRequest(*row) for row in rows]


def conversations_of(
    connection: Transaction, consumer: str, connector: str | None = None
) -> list[str]:
    """Return the conversations of a person by any of their ids, also those that became a part of another."""
    condition, values = of_consumer(consumer)
    rows = connection.execute(
        f"SELECT id, connector FROM conversation WHERE {condition} ORDER BY key", values
    )
    return [id for id, name in rows if connector in {None, name}]


def add_to_receipt(connection: Transaction, erasure: str, counted: tuple[int, int, int]) -> None:
    """Add what was removed to the receipt."""
    connection.execute(
        "UPDATE erasure SET conversations = conversations + ?, messages = messages + ?, files = files + ? "
        "WHERE id = ?",
        (*counted, erasure),
    )


def count(connection: Transaction, conversation: str) -> tuple[int, int, int]:
    """Return the numbers of conversations, messages and files that an erasure removes."""
    keys = connection.execute(
        "SELECT o.key FROM conversation s JOIN conversation o "
        "ON coalesce(o.merged_into, o.key) = coalesce(s.merged_into, s.key) WHERE s.id = ?",
        (conversation,),
    ).fetchall()
    messages = files = 0
    for (key,) in keys:
        ((received,),) = connection.execute(
            "SELECT count(*) FROM message WHERE key BETWEEN ? AND ?", all_messages_of(key)
        ).fetchall()
        ((sent,),) = connection.execute(
            "SELECT count(*) FROM outgoing WHERE conversation = ?", (key,)
        ).fetchall()
        ((kept,),) = connection.execute(
            "SELECT count(*) FROM attachment WHERE message BETWEEN ? AND ?", all_messages_of(key)
        ).fetchall()
        messages += received + sent
        files += kept
    return len(keys), messages, files


def written_forms(consumer: str) -> frozenset[bytes]:
    """Return the forms in which bodies of platforms hold an id of a person."""
    return frozenset(
        written.encode()
        for one in spellings(consumer)
        for written in (one, quote(one, safe=""), one.replace("/", "\\/"))
    )


def forget_traces(connection: Transaction, forms: Collection[bytes]) -> list[int]:
    """Remove what holds one of these texts outside of any conversation; return the keys of events that wait no more."""
    for form in forms:
        connection.execute("DELETE FROM unreadable WHERE instr(delivery, ?) > 0", (form,))
    return forget_strays(connection, forms)


def forget_consumer(connection: Transaction, erasure: str) -> None:
    """Forget the id that was asked for. From now on only its hash is known."""
    connection.execute("UPDATE erasure SET consumer = NULL WHERE id = ?", (erasure,))


def finish(connection: Transaction, erasure: str) -> None:
    """Record that everything is erased."""
    connection.execute(
        "UPDATE erasure SET finished_at = ? WHERE id = ? AND finished_at IS NULL",
        (now_ms(), erasure),
    )


def receipt(connection: Transaction, erasure: str) -> dict[str, Any] | None:
    """Return the receipt of an erasure; None if it is unknown."""
    row = connection.execute(
        "SELECT id, consumer_hash, connector, conversations, messages, files, requested_at, finished_at "
        "FROM erasure WHERE id = ?",
        (erasure,),
    ).fetchone()
    if row is None:
        return None
    id, consumer_hash, connector, conversations, messages, files, requested_at, finished_at = row
    return {
        "id": id,
        "state": "pending" if finished_at is None else "done",
        "consumer_hash": consumer_hash,
        "connector": connector,
        "conversations": conversations,
        "messages": messages,
        "files": files,
        "requested_at": rfc3339(requested_at),
        "finished_at": None if finished_at is None else rfc3339(finished_at),
    }


def erase_attachment(
    connection: Transaction, ids: Identifiers, outbox: Outbox, message: int, position: int
) -> Recorded | None:
    """Erase the files and the name of one attachment, and announce it; None if it is unknown."""
    row = connection.execute("SELECT id FROM message WHERE key = ?", (message,)).fetchone()
    changed = connection.execute(
        "UPDATE attachment SET state = 'failed', reason = 'gone', code = NULL, detail = 'erased on request', "
        "name = NULL, details = NULL, renditions = NULL, media = NULL, due = NULL, revision = revision + 1, "
        "ended_at = coalesce(ended_at, ?) WHERE message = ? AND position = ?",
        (now_ms(), message, position),
    )
    if row is None or changed.rowcount == 0:
        return None
    delete_files_of(connection, [attachment_id(row[0], position)])
    held = connection.execute(
        "SELECT conversation, key FROM outbox WHERE message = ? AND body IS NULL", (message,)
    ).fetchone()
    if held is None:
        return Recorded(entries=(announce(connection, ids, outbox, message, position),))
    waits = connection.execute(
        "SELECT 1 FROM attachment WHERE message = ? AND state = 'pending'", (message,)
    ).fetchone()
    return Recorded(frozen=() if waits else (freeze(connection, *held),))


def to_forget(connection: Transaction) -> list[str]:
    """Return the erased conversations that the built-in workspace may still have."""
    return [id for (id,) in connection.execute("SELECT conversation FROM forgotten LIMIT 200")]


def forgotten(connection: Transaction, conversations: list[str]) -> None:
    """Record that the built-in workspace has erased these conversations."""
    connection.executemany(
        "DELETE FROM forgotten WHERE conversation = ?", [(id,) for id in conversations]
    )
