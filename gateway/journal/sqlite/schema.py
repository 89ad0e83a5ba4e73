"""Schema of the SQLite journal, and its migration."""

import os
import sqlite3

from gateway.fault_points import fault_point
from gateway.journal.errors import JournalUnusable
from gateway.journal.private_files import create_private

VERSION = 6

# intake      accepted deliveries, one row for each group commit, removed once parsed
# unreadable  deliveries with an entry that could not be parsed, kept for `airlock replay`
# fact        ids of facts other than messages, for the detection of duplicates
# outgoing    agents' texts; `part` holds the messages in which each text is sent
# early       receipts that came before the platform's response showed which text they are about
# doomed      attachments whose files must be deleted: the journal forgets them first
# conversation  its id is derived from the consumer's first address, unless that is `freed`: then it may be a
#             stranger's now. `merged_into` is the key of the conversation of which it became a part
# alias       further addresses of a conversation's consumer (such as a phone number and a user id)
# message     its key is made of the conversation's key and the sequence (see `message_keys.py`)
# report      what platforms have yet to be informed of; a newer report of the same subject replaces it
# outbox      events that the core has yet to accept; `body` is NULL while a message waits for its media
# taken       events that the core has accepted; `body` is NULL if it is made from the message again
# erasure     persons to erase, and the receipts; `consumer` is NULL once that is done
# forgotten   erased conversations that the built-in workspace has yet to erase
TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE intake (id INTEGER PRIMARY KEY, deliveries BLOB NOT NULL);
CREATE TABLE unreadable (
    id INTEGER PRIMARY KEY AUTOINCREMENT, connector TEXT NOT NULL, received_at INTEGER NOT NULL,
    reason TEXT NOT NULL, delivery BLOB NOT NULL);
CREATE TABLE conversation (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, connector TEXT NOT NULL, platform TEXT NOT NULL,
    account TEXT NOT NULL, consumer TEXT NOT NULL, name TEXT, agents TEXT NOT NULL DEFAULT '[]',
    sequence INTEGER NOT NULL DEFAULT 0, heard_at INTEGER, closed INTEGER NOT NULL DEFAULT 0,
    opted_out INTEGER NOT NULL DEFAULT 0, echoes INTEGER NOT NULL DEFAULT 0, reply_until INTEGER,
    aliases TEXT NOT NULL DEFAULT '[]', route TEXT, freed INTEGER NOT NULL DEFAULT 0, merged_into INTEGER,
    name_asked INTEGER NOT NULL DEFAULT 0);
CREATE INDEX conversation_unnamed ON conversation (connector, key) WHERE name IS NULL AND name_asked = 0;
CREATE INDEX conversation_consumer ON conversation (consumer);
CREATE INDEX conversation_merged ON conversation (merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE alias (id TEXT PRIMARY KEY, conversation INTEGER NOT NULL, address TEXT) WITHOUT ROWID;
CREATE INDEX alias_address ON alias (address);
CREATE INDEX alias_of_conversation ON alias (conversation);
CREATE TABLE message (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, platform_id TEXT NOT NULL,
    sent_at INTEGER NOT NULL, received_at INTEGER NOT NULL, content BLOB NOT NULL);
CREATE INDEX message_words ON message (received_at) WHERE platform_id != '';
CREATE TABLE attachment (
    message INTEGER NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT, detail TEXT, name TEXT, width INTEGER, height INTEGER, duration REAL, renditions BLOB,
    details BLOB, media BLOB, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER, revision INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER, code TEXT, PRIMARY KEY (message, position)) WITHOUT ROWID;
CREATE INDEX attachment_pending ON attachment (due) WHERE state = 'pending';
CREATE INDEX attachment_failed ON attachment (ended_at) WHERE state = 'failed';
CREATE INDEX attachment_kept ON attachment (ended_at) WHERE state = 'ready';
CREATE INDEX attachment_original ON attachment (ended_at) WHERE state = 'rejected' AND renditions != x'7b7d';
CREATE TABLE fact (id TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX fact_seen ON fact (seen_at);
CREATE TABLE outbox (
    key INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, event_id TEXT NOT NULL, message INTEGER,
    hold_until INTEGER, body BLOB, behind INTEGER);
CREATE INDEX outbox_lane ON outbox (conversation, key);
CREATE INDEX outbox_held ON outbox (message) WHERE body IS NULL;
CREATE TABLE outgoing (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, conversation INTEGER NOT NULL, agent TEXT NOT NULL,
    text TEXT NOT NULL, reply_to TEXT, accepted_at INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT,
    code TEXT, detail TEXT);
CREATE INDEX outgoing_age ON outgoing (accepted_at);
CREATE INDEX outgoing_in_conversation ON outgoing (conversation, key);
CREATE TABLE part (
    outgoing INTEGER NOT NULL, position INTEGER NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL,
    platform_id TEXT, reason TEXT, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER, sent_at INTEGER, code TEXT,
    detail TEXT, PRIMARY KEY (outgoing, position)) WITHOUT ROWID;
CREATE INDEX part_of_platform ON part (platform_id) WHERE platform_id IS NOT NULL;
CREATE INDEX part_open ON part (due) WHERE state IN ('waiting', 'trying');
CREATE TABLE early (
    platform_id TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT, seen_at INTEGER NOT NULL, code TEXT,
    detail TEXT) WITHOUT ROWID;
CREATE TABLE doomed (attachment TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE viewed (
    key INTEGER PRIMARY KEY, at INTEGER NOT NULL, agent TEXT NOT NULL, attachment TEXT NOT NULL,
    rendition TEXT NOT NULL, conversation TEXT NOT NULL, bytes TEXT);
CREATE INDEX viewed_age ON viewed (at);
CREATE INDEX viewed_attachment ON viewed (attachment);
CREATE TABLE report (
    key INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE, conversation INTEGER NOT NULL, connector TEXT NOT NULL,
    kind TEXT NOT NULL, content BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL,
    made_at INTEGER NOT NULL);
CREATE INDEX report_due ON report (connector, due);
CREATE INDEX report_of_conversation ON report (conversation);
"""

_PEOPLE = """
CREATE TABLE taken (
    key INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL,
    time INTEGER NOT NULL, taken_at INTEGER NOT NULL, message INTEGER, attachment TEXT, body BLOB);
CREATE INDEX taken_in_conversation ON taken (conversation, key);
CREATE TABLE erasure (
    id TEXT PRIMARY KEY, consumer TEXT, consumer_hash TEXT NOT NULL, connector TEXT, requested_at INTEGER NOT NULL,
    conversations INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0, files INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER) WITHOUT ROWID;
CREATE TABLE forgotten (conversation TEXT PRIMARY KEY) WITHOUT ROWID;
"""
#: The id of the request that brought a text, an erasure or a report; empty if it is not known.
_REQUESTS = """
ALTER TABLE outgoing ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
ALTER TABLE erasure ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
ALTER TABLE report ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
"""
TABLES += _PEOPLE + _REQUESTS

#: Statements that bring a file of the version before up to each version. The first one is made by `TABLES`.
MIGRATIONS: dict[int, str] = {
    2: """
ALTER TABLE conversation ADD COLUMN echoes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN reply_until INTEGER;
ALTER TABLE conversation ADD COLUMN aliases TEXT NOT NULL DEFAULT '[]';
ALTER TABLE conversation ADD COLUMN route TEXT;
ALTER TABLE conversation ADD COLUMN freed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversation ADD COLUMN merged_into INTEGER;
ALTER TABLE conversation ADD COLUMN name_asked INTEGER NOT NULL DEFAULT 0;
CREATE INDEX conversation_consumer ON conversation (consumer);
CREATE INDEX conversation_merged ON conversation (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX conversation_unnamed ON conversation (connector, key) WHERE name IS NULL AND name_asked = 0;
ALTER TABLE alias ADD COLUMN address TEXT;
CREATE INDEX alias_address ON alias (address);
ALTER TABLE outbox ADD COLUMN behind INTEGER;
ALTER TABLE outgoing ADD COLUMN code TEXT;
ALTER TABLE outgoing ADD COLUMN detail TEXT;
ALTER TABLE part ADD COLUMN code TEXT;
ALTER TABLE part ADD COLUMN detail TEXT;
ALTER TABLE early ADD COLUMN code TEXT;
ALTER TABLE early ADD COLUMN detail TEXT;
ALTER TABLE attachment ADD COLUMN code TEXT;
""",
    3: """
CREATE TABLE report (
    key INTEGER PRIMARY KEY, subject TEXT NOT NULL UNIQUE, conversation INTEGER NOT NULL, connector TEXT NOT NULL,
    kind TEXT NOT NULL, content BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL,
    made_at INTEGER NOT NULL);
CREATE INDEX report_due ON report (connector, due);
CREATE INDEX report_of_conversation ON report (conversation);
""",
    4: """
CREATE INDEX attachment_original ON attachment (ended_at) WHERE state = 'rejected' AND renditions != x'7b7d';
""",
    5: _PEOPLE,
    6: _REQUESTS,
}


def connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a connection for use by one thread at a time.

    If another process holds a lock, statements fail at once instead of blocking the event loop. Automatic syncs
    and checkpoints are off: the writer does both.
    """
    create_private(path)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    # Half of the default. In a large journal each message changes a few pages far apart, and every changed page is
    # written as a whole, to the log and to the database. A message was measured to cost a tenth less.
    connection.execute("PRAGMA page_size = 2048")
    # Deleted data is overwritten in its page at once; freed pages are removed when a conversation is erased.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = -32768")
    connection.execute("PRAGMA temp_store = MEMORY")
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    return connection


def migrate(connection: sqlite3.Connection) -> None:
    """Create the tables, or bring them up to date; raise JournalUnusable if a newer Airlock wrote the file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version > VERSION:
        raise JournalUnusable(
            f"gateway.data: the journal was written by a newer Airlock (format {version}, this one reads {VERSION}); "
            "upgrade Airlock, restore a backup from before the upgrade, or set gateway.data to a different folder"
        )
    if version > 0:
        steps = "".join(MIGRATIONS[number] for number in range(version + 1, VERSION + 1))
        connection.executescript(
            f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {VERSION}; COMMIT;"
        )
        return
    # The key is part of the same transaction: a crash must not leave a journal without a key.
    key = f"INSERT INTO meta VALUES ('key', x'{os.urandom(32).hex()}');"
    made = f"PRAGMA user_version = {VERSION}"
    connection.executescript(f"BEGIN IMMEDIATE; {TABLES} {key} {made}; COMMIT;")
    fault_point("journal-made")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def key(connection: sqlite3.Connection) -> bytes:
    """Return the key from which ids and links are derived; raises sqlite3.DatabaseError if the file has none."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'key'").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("its key is missing")
    return bytes(row[0])
