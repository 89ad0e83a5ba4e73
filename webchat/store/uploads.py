"""Uploads: what is known of a file while it comes, and its claim by a message. The bytes are in `webchat.files`."""

import secrets
import sqlite3
from dataclasses import dataclass
from typing import Any

from webchat.timestamps import DAY, HOUR, MINUTE

from .database import Connection, touch

#: How long an upload that does not grow is kept, and one that is whole and belongs to no message.
OPEN_MS, WHOLE_MS = HOUR, 15 * MINUTE
#: How long an original is kept until its outcome is final.
CLAIMED_MS = DAY
#: An open upload that did not grow for so long makes room for another one of the same consumer.
IDLE_MS = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a consumer. `id` is the client's, `file` its name on our disk and in deliveries."""

    consumer: str
    id: str
    file: str
    length: int
    name: str | None
    state: str
    kind: str | None
    media_type: str | None
    sha256: str | None
    expires_at: int

    def needs_extension(self, now: int) -> bool:
        """Whether the time of an open upload is due for an extension: not every part writes it."""
        return self.expires_at - now < OPEN_MS - MINUTE

    def in_event(self) -> dict[str, Any]:
        return {
            "upload": self.file,
            "kind": self.kind,
            "media_type": self.media_type,
            "name": self.name,
            "bytes": self.length,
            "sha256": self.sha256,
        }


class Incomplete(Exception):
    """Files that a message names are not whole, or do not exist."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(", ".join(ids))
        self.ids = ids


def create(
    db: sqlite3.Connection, consumer: str, id: str, length: int, name: str | None, now: int
) -> Upload:
    file = f"upl_{secrets.token_hex(16)}"
    db.execute(
        "INSERT INTO uploads (consumer, id, file, length, name, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        (consumer, id, file, length, name, now + OPEN_MS),
    )
    return Upload(consumer, id, file, length, name, "open", None, None, None, now + OPEN_MS)


def find(db: sqlite3.Connection, consumer: str, id: str) -> Upload | None:
    row = db.execute("SELECT * FROM uploads WHERE consumer = ? AND id = ?", (consumer, id))
    return _upload(row.fetchone())


def find_file(db: sqlite3.Connection, file: str) -> Upload | None:
    return _upload(db.execute("SELECT * FROM uploads WHERE file = ?", (file,)).fetchone())


def open_count(db: sqlite3.Connection, consumer: str) -> int:
    """Return how many files of a consumer are on their way, or wait for their message."""
    row = db.execute(
        "SELECT count(*) FROM uploads WHERE consumer = ? AND state = 'open'", (consumer,)
    )
    return int(row.fetchone()[0])


def reserved_bytes(db: sqlite3.Connection) -> int:
    """Return how many bytes all uploads may have on disk, those included that have not come yet."""
    return int(db.execute("SELECT coalesce(sum(length), 0) FROM uploads").fetchone()[0])


def extend(db: sqlite3.Connection, upload: Upload, now: int) -> None:
    db.execute(
        "UPDATE uploads SET expires_at = ? WHERE file = ? AND state = 'open'",
        (now + OPEN_MS, upload.file),
    )


def finish(db: sqlite3.Connection, upload: Upload, now: int) -> None:
    """Note that all bytes are on disk, of what kind they are, and their hash."""
    db.execute(
        "UPDATE uploads SET state = 'whole', kind = ?, media_type = ?, sha256 = ?, expires_at = ? "
        "WHERE file = ? AND state = 'open'",
        (upload.kind, upload.media_type, upload.sha256, now + WHOLE_MS, upload.file),
    )


def claim(
    db: Connection, consumer: str, message: str, ids: tuple[str, ...], now: int
) -> list[Upload]:
    """Give whole uploads to a message. Raises Incomplete if one is not whole, or belongs to another message."""
    found = [(id, find(db, consumer, id)) for id in ids]
    missing = [id for id, upload in found if upload is None or upload.state != "whole"]
    if missing:
        raise Incomplete(missing)
    db.execute(
        "UPDATE uploads SET state = 'claimed', message = ?, expires_at = ? "
        f"WHERE consumer = ? AND id IN ({','.join('?' * len(ids))})",
        (message, now + CLAIMED_MS, consumer, *ids),
    )
    return [upload for _, upload in found if upload is not None]


def attach(db: Connection, upload: Upload, message: str, place: int) -> None:
    db.execute(
        "INSERT INTO attachments (id, consumer, message, place, upload, file, kind, media_type, name, bytes, sha256) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            f"att_{secrets.token_hex(16)}",
            upload.consumer,
            message,
            place,
            upload.id,
            upload.file,
            upload.kind,
            upload.media_type,
            upload.name,
            upload.length,
            upload.sha256,
        ),
    )


def remove_unclaimed(db: sqlite3.Connection, file: str) -> None:
    """Forget an upload that belongs to no message; its file is deleted afterwards."""
    db.execute("DELETE FROM uploads WHERE file = ? AND state != 'claimed'", (file,))


def remove_idle(db: sqlite3.Connection, consumer: str, now: int) -> list[str]:
    """Forget a consumer's open uploads that stand still, so that they do not keep a new one out; return their files."""
    rows = db.execute(
        "DELETE FROM uploads WHERE consumer = ? AND state = 'open' AND expires_at < ? RETURNING file",
        (consumer, now + OPEN_MS - IDLE_MS),
    )
    return [row["file"] for row in rows.fetchall()]


def start_waiting(db: sqlite3.Connection, consumer: str, message: str, now: int) -> None:
    """Begin the time in which the gateway may fetch the files of a message: it knows of them only now."""
    db.execute(
        "UPDATE uploads SET expires_at = ? WHERE state = 'claimed' AND message = ? AND consumer IN "
        "(?, (SELECT consumer FROM aliases WHERE former = ?))",
        (now + CLAIMED_MS, message, consumer, consumer),
    )


def expire(db: Connection, now: int) -> list[str]:
    """Forget uploads whose time is over, unless the gateway does not know of them yet; return their files.

    A file whose outcome never came is shown as failed.
    """
    rows = db.execute(
        "DELETE FROM uploads WHERE expires_at < ? AND NOT (state = 'claimed' AND EXISTS "
        "(SELECT 1 FROM outbox AS o WHERE o.lane = uploads.consumer AND o.message = uploads.message)) "
        "RETURNING file",
        (now,),
    ).fetchall()
    for row in rows:
        _give_up(db, row["file"])
    return [row["file"] for row in rows]


def _give_up(db: Connection, file: str) -> None:
    row = db.execute(
        "UPDATE attachments SET state = 'failed', reason = 'expired' WHERE file = ? AND state = 'checking' "
        "RETURNING consumer, message",
        (file,),
    ).fetchone()
    if row is not None:
        db.execute(
            "UPDATE messages SET revision = ? WHERE consumer = ? AND id = ?",
            (touch(db, row["consumer"]), row["consumer"], row["message"]),
        )


def known_files(db: sqlite3.Connection) -> set[str]:
    return {row["file"] for row in db.execute("SELECT file FROM uploads")}


def _upload(row: sqlite3.Row | None) -> Upload | None:
    if row is None:
        return None
    return Upload(
        consumer=row["consumer"],
        id=row["id"],
        file=row["file"],
        length=row["length"],
        name=row["name"],
        state=row["state"],
        kind=row["kind"],
        media_type=row["media_type"],
        sha256=row["sha256"],
        expires_at=row["expires_at"],
    )
