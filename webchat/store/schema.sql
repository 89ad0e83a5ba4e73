-- Times are milliseconds since 1970. `revision` counts the visible changes of one consumer.
CREATE TABLE consumers (
    id TEXT PRIMARY KEY,
    site TEXT NOT NULL,
    subject TEXT, -- `sub` of the brand's JWT; NULL for an anonymous consumer
    name TEXT,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    state_revision INTEGER NOT NULL DEFAULT 0,
    answered INTEGER NOT NULL DEFAULT 0, -- 1 once an agent has written
    position INTEGER NOT NULL DEFAULT 0, -- of the last message
    revision INTEGER NOT NULL DEFAULT 0,
    reset_revision INTEGER NOT NULL DEFAULT 0, -- what happened up to here cannot be listed any more
    created_at INTEGER NOT NULL,
    active_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX consumers_by_subject ON consumers (site, subject) WHERE subject IS NOT NULL;
CREATE INDEX consumers_by_activity ON consumers (active_at);

-- Former ids of consumers who took an anonymous conversation along when they signed in.
CREATE TABLE aliases (
    former TEXT PRIMARY KEY,
    consumer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX aliases_by_consumer ON aliases (consumer);

-- Only the fingerprint of a session's token is stored, so that a reader of this file cannot take over a session.
CREATE TABLE sessions (
    fingerprint BLOB PRIMARY KEY,
    consumer TEXT NOT NULL REFERENCES consumers (id),
    kind TEXT NOT NULL,
    address TEXT NOT NULL, -- the network, not the whole address
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_consumer ON sessions (consumer);
CREATE INDEX sessions_by_use ON sessions (seen_at);

-- `id` is the client's for a consumer's message, and the gateway's key for an agent's text.
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
    upload TEXT NOT NULL, -- the client's id of the upload
    file TEXT NOT NULL, -- our own, by which the gateway asks for it
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

-- The size of the file on disk is the offset; no column is. `file` is its name there.
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

-- What the gateway has not taken yet, in the order of `sequence` within a lane. A lane belongs to one consumer. `batch`
-- is the webhook-id under which a row was sent first: it never changes.
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    site TEXT NOT NULL,
    event TEXT NOT NULL,
    message TEXT, -- the consumer's message in it
    body TEXT NOT NULL,
    batch TEXT,
    made_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_by_lane ON outbox (lane, sequence);

-- How much was used of a limit in the window that ends at `until`.
CREATE TABLE usage (
    subject TEXT NOT NULL,
    until INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (subject, until)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_by_end ON usage (until);
