"""The tables of the SQLite journal, and how an older file is brought up to date."""

import os
import sqlite3

from gateway.fault_points import fault_point

VERSION = 1

# intake      deliveries as they arrived, one row for each group commit, gone once read
# unreadable  deliveries that held something no connector could read, kept for `airlock replay`
# fact        what was seen besides messages: the memory of duplicate detection
# outgoing    agents' texts, and in `part` what of each went out as one message of the platform
# early       receipts that came before the platform had answered who they are about
# doomed      attachments whose files must go: the journal forgot them first
# alias       further ids under which a conversation's consumer is known (a number and a user id)
# message     its key is the conversation's key and the sequence (see `keys.py`)
# outbox      what the core has yet to take; `body` is NULL while a message waits for its media
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
    opted_out INTEGER NOT NULL DEFAULT 0);
CREATE TABLE alias (id TEXT PRIMARY KEY, conversation INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX alias_of_conversation ON alias (conversation);
CREATE TABLE message (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, platform_id TEXT NOT NULL,
    sent_at INTEGER NOT NULL, received_at INTEGER NOT NULL, content BLOB NOT NULL);
CREATE INDEX message_words ON message (received_at) WHERE platform_id != '';
CREATE TABLE attachment (
    message INTEGER NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    reason TEXT, detail TEXT, name TEXT, width INTEGER, height INTEGER, duration REAL, renditions BLOB,
    details BLOB, media BLOB, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER, revision INTEGER NOT NULL DEFAULT 0,
    ended_at INTEGER, PRIMARY KEY (message, position)) WITHOUT ROWID;
CREATE INDEX attachment_pending ON attachment (due) WHERE state = 'pending';
CREATE INDEX attachment_failed ON attachment (ended_at) WHERE state = 'failed';
CREATE INDEX attachment_kept ON attachment (ended_at) WHERE state = 'ready';
CREATE TABLE fact (id TEXT PRIMARY KEY, seen_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX fact_seen ON fact (seen_at);
CREATE TABLE outbox (
    key INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, event_id TEXT NOT NULL, message INTEGER,
    hold_until INTEGER, body BLOB);
CREATE INDEX outbox_lane ON outbox (conversation, key);
CREATE INDEX outbox_held ON outbox (message) WHERE body IS NULL;
CREATE TABLE outgoing (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, conversation INTEGER NOT NULL, agent TEXT NOT NULL,
    text TEXT NOT NULL, reply_to TEXT, accepted_at INTEGER NOT NULL, status TEXT NOT NULL, reason TEXT);
CREATE INDEX outgoing_age ON outgoing (accepted_at);
CREATE INDEX outgoing_in_conversation ON outgoing (conversation, key);
CREATE TABLE part (
    outgoing INTEGER NOT NULL, position INTEGER NOT NULL, text TEXT NOT NULL, state TEXT NOT NULL,
    platform_id TEXT, reason TEXT, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER, sent_at INTEGER,
    PRIMARY KEY (outgoing, position)) WITHOUT ROWID;
CREATE INDEX part_of_platform ON part (platform_id) WHERE platform_id IS NOT NULL;
CREATE INDEX part_open ON part (due) WHERE state IN ('waiting', 'trying');
CREATE TABLE early (
    platform_id TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT, seen_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE doomed (attachment TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE viewed (
    key INTEGER PRIMARY KEY, at INTEGER NOT NULL, agent TEXT NOT NULL, attachment TEXT NOT NULL,
    rendition TEXT NOT NULL, conversation TEXT NOT NULL, bytes TEXT);
CREATE INDEX viewed_age ON viewed (at);
CREATE INDEX viewed_attachment ON viewed (attachment);
"""


def connect(path: str, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection for one thread at a time.

    A lock held by another process fails at once instead of holding up the event loop. Commits do not sync
    and nothing is brought from the log into the database by itself: both are the writer's.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
    # Half of the usual, for a new file: of a large journal each message touches a few pages far apart, and every
    # page touched is written whole, to the log and from there. A message was measured at a tenth less.
    connection.execute("PRAGMA page_size = 2048")
    # What was deleted leaves its page at once; whole pages that were freed leave when a conversation is erased.
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
    """Create the tables, or say why this file is not ours to touch."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version > VERSION:
        raise RuntimeError(
            f"the journal was written by a newer Airlock (format {version}, this one reads {VERSION}): "
            "upgrade Airlock, or point gateway.data elsewhere"
        )
    # The key in the same transaction: a crash must not leave a journal without one.
    key = f"INSERT INTO meta VALUES ('key', x'{os.urandom(32).hex()}');"
    made = f"PRAGMA user_version = {VERSION}"
    connection.executescript(f"BEGIN IMMEDIATE; {TABLES} {key} {made}; COMMIT;")
    fault_point("journal-made")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
