"""Files to delete: the journal forgets an attachment first, and its files are deleted after that."""

from .transaction import Transaction

#: Attachments whose files are deleted at a time.
_BATCH = 200


def delete_files_of(connection: Transaction, attachments: list[str]) -> None:
    """List the files of these attachments for deletion."""
    connection.executemany(
        "INSERT INTO doomed (attachment) VALUES (?) ON CONFLICT DO NOTHING",
        [(id,) for id in attachments],
    )


def files_to_delete(connection: Transaction) -> list[str]:
    """Return a batch of attachments whose files must be deleted."""
    return [id for (id,) in connection.execute("SELECT attachment FROM doomed LIMIT ?", (_BATCH,))]


def files_deleted(connection: Transaction, attachments: list[str]) -> None:
    """Remove attachments from the list of files to delete."""
    connection.executemany("DELETE FROM doomed WHERE attachment = ?", [(id,) for id in attachments])
