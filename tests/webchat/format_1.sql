-- The file of the web channel in format 1, as the first release made it, with a message that the gateway has yet to take.
CREATE TABLE consumers (
    id TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    subject TEXT,
    name TEXT,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    state_revision INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL DEFAULT 0,
    position INTEGER NOT NULL DEFAULT 0,
    revision INTEGER NOT NULL DEFAULT 0,
    reset_revision INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX consumers_by_subject ON consumers (site, subject) WHERE subject IS NOT NULL;
CREATE INDEX consumers_by_activity ON consumers (active_at);
CREATE TABLE aliases (
    former TEXT PRIMARY KEY,
    consumer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_consumer ON aliases (consumer);
CREATE TABLE sessions (
    fingerprint BLOB PRIMARY KEY,
    consumer TEXT NOT NULL REFERENCES consumers (id),
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_consumer ON sessions (consumer);
CREATE INDEX sessions_by_use ON sessions (seen_at);
CREATE TABLE messages (
    consumer TEXT NOT NULL REFERENCES consumers (id),
    id TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    position INTEGER NOT NULL,
    text TEXT,
    reply_to TEXT,
    state TEXT NOT NULL,
    at INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (consumer, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_in_order ON messages (consumer, position);
CREATE INDEX messages_by_change ON messages (consumer, revision);
CREATE TABLE attachments (
    id TEXT PRIMARY KEY,
    consumer TEXT NOT NULL,
    message TEXT NOT NULL,
    place INTEGER NOT NULL,
    upload TEXT NOT NULL,
    file TEXT NOT NULL,
    kind TEXT NOT NULL,
    media_type TEXT NOT NULL,
    name TEXT,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'checking',
    reason TEXT,
    width INTEGER,
    height INTEGER,
    seconds REAL,
    renditions TEXT NOT NULL DEFAULT '[]',
    grant_token TEXT,
    UNIQUE (consumer, message, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachments_by_file ON attachments (file);
CREATE TABLE uploads (
    consumer TEXT NOT NULL REFERENCES consumers (id),
    id TEXT NOT NULL,
    file TEXT NOT NULL UNIQUE,
    length INTEGER NOT NULL,
    name TEXT,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'whole', 'claimed')),
    kind TEXT,
    media_type TEXT,
    sha256 TEXT,
    message TEXT,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (consumer, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_expiry ON uploads (expires_at);
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    site TEXT NOT NULL,
    event TEXT NOT NULL,
    message TEXT,
    body TEXT NOT NULL,
    batch TEXT,
    made_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_by_lane ON outbox (lane, sequence);
CREATE TABLE usage (
    subject TEXT NOT NULL,
    until INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (subject, until)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_end ON usage (until);
INSERT INTO consumers VALUES ('web_old', 'shop', NULL, 'Zoë', 'open', 0, 0, 1, 1, 0, 1000, 1000);
INSERT INTO messages VALUES ('web_old', 'm1', 'in', 1, 'the dented lid', NULL, 'sent', 1000, 1);
INSERT INTO outbox (lane, site, event, message, body, made_at) VALUES ('web_old', 'shop', 'm1', 'm1',
    '{"id":"m1","type":"message","at":"1970-01-01T00:00:01.000Z","consumer":{"id":"web_old","verified":false},"text":"the dented lid","attachments":[]}',
    1800000000000);
PRAGMA user_version = 1;
