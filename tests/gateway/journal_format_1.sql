-- The tables of journal format 1, as the first release of Airlock made them.
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
PRAGMA user_version = 1;
