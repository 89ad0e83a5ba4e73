-- Times are milliseconds since 1970. `revision` counts every visible change, so that a page can load what is new.
CREATE TABLE counter (revision INTEGER NOT NULL) STRICT;
INSERT INTO counter VALUES (0);

-- Every event received. `body` is stored only if the event could not be read.
CREATE TABLE events (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    body BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_time ON events (taken_at);

CREATE TABLE conversations (
    id TEXT PRIMARY KEY,
    connector TEXT NOT NULL,
    platform TEXT NOT NULL,
    account TEXT NOT NULL,
    consumer_id TEXT NOT NULL,
    consumer_name TEXT,
    folded TEXT NOT NULL,
    open INTEGER NOT NULL DEFAULT 1,
    sequence INTEGER NOT NULL DEFAULT 0,
    active_at INTEGER NOT NULL,
    typing_until INTEGER NOT NULL DEFAULT 0,
    told INTEGER NOT NULL DEFAULT 0, -- the sequence up to which the platform got read receipts (allow-word)
    revision INTEGER NOT NULL,
    reply_until INTEGER, -- when the platform stops accepting replies; NULL if it never does, or if it is not known
    opted_out INTEGER NOT NULL DEFAULT 0,
    merged_into TEXT, -- the conversation that has its lines now; such a row is kept for old links and for `origin`
    waiting_since INTEGER -- the time of the first message that no answer followed; NULL if nobody waits
) STRICT;
CREATE INDEX conversations_by_activity ON conversations (active_at, id);
CREATE INDEX conversations_by_change ON conversations (revision);
CREATE INDEX conversations_by_wait ON conversations (coalesce(waiting_since, 4000000000000000 - active_at), id);
CREATE INDEX conversations_by_merge ON conversations (merged_into) WHERE merged_into IS NOT NULL;

-- Lines of the transcript, in the order of (placed_at, sequence, position). Our own messages have the `sequence` of the
-- consumer's latest message.
CREATE TABLE messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL REFERENCES conversations (id),
    sequence INTEGER NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out', 'notice')),
    author TEXT,
    platform_id TEXT,
    text TEXT,
    transcript TEXT NOT NULL,
    at INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    details TEXT NOT NULL DEFAULT '{}',
    revision INTEGER NOT NULL,
    origin TEXT NOT NULL, -- the conversation to which the sequence belongs: another one if that was merged into this
    placed_at INTEGER NOT NULL, -- the time of its place: never before a line of the same origin with a lower sequence
    history INTEGER NOT NULL DEFAULT 0, -- an old message that the platform delivered afterwards
    failed INTEGER NOT NULL DEFAULT 0 -- 1 for an answer that did not arrive and is not being sent again
) STRICT;
CREATE INDEX messages_in_place ON messages (conversation, placed_at, sequence, position);
CREATE INDEX messages_by_origin ON messages (origin, sequence);
CREATE INDEX messages_by_time ON messages (at);
CREATE INDEX messages_by_change ON messages (conversation, revision);
CREATE INDEX messages_failed ON messages (conversation) WHERE failed = 1;
CREATE INDEX messages_by_platform_id ON messages (platform_id) WHERE platform_id IS NOT NULL;

CREATE TABLE attachments (
    id TEXT PRIMARY KEY,
    message TEXT NOT NULL REFERENCES messages (id) ON UPDATE CASCADE,
    place INTEGER NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX attachments_by_message ON attachments (message, place);

-- Not in `messages`, because a status may arrive before we know which of our messages it is about.
CREATE TABLE statuses (
    message TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    reason TEXT,
    platform_id TEXT,
    -- The platform's own code and words, beside the reason.
    code TEXT,
    detail TEXT
) STRICT;
CREATE INDEX statuses_by_platform_id ON statuses (platform_id) WHERE platform_id IS NOT NULL;

-- Our own messages, with the idempotency key under which the gateway sends each once. Each further attempt, after the
-- gateway had accepted the text but could not deliver it, has a key of its own: see resending.py.
CREATE TABLE replies (
    key TEXT PRIMARY KEY,
    position INTEGER NOT NULL UNIQUE REFERENCES messages (position),
    state TEXT NOT NULL CHECK (state IN ('sending', 'accepted', 'refused', 'unknown')),
    reason TEXT,
    attempt INTEGER NOT NULL DEFAULT 0, -- how often the text was sent again under a new key
    resent_at INTEGER, -- when an agent last sent the text again
    resent_by TEXT
) STRICT, WITHOUT ROWID;

-- The gateway's ids of attempts that failed, so that events about them find the line.
CREATE TABLE earlier_attempts (
    message TEXT PRIMARY KEY,
    position INTEGER NOT NULL REFERENCES messages (position)
) STRICT, WITHOUT ROWID;
CREATE INDEX earlier_attempts_by_position ON earlier_attempts (position);

-- Which failed answers each agent has seen.
CREATE TABLE seen_failures (
    position INTEGER NOT NULL REFERENCES messages (position),
    agent TEXT NOT NULL,
    PRIMARY KEY (position, agent)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions (
    message TEXT NOT NULL,
    who TEXT NOT NULL,
    emoji TEXT NOT NULL,
    PRIMARY KEY (message, who)
) STRICT, WITHOUT ROWID;

CREATE TABLE assignments (
    conversation TEXT NOT NULL REFERENCES conversations (id),
    agent TEXT NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (conversation, agent)
) STRICT, WITHOUT ROWID;
CREATE INDEX assignments_by_agent ON assignments (agent);

-- When a conversation was last taken from an agent, or from all others (''): see reading.py. Rows of erased
-- conversations stay, so that pages drop them.
CREATE TABLE departures (
    conversation TEXT NOT NULL,
    agent TEXT NOT NULL,
    revision INTEGER NOT NULL,
    PRIMARY KEY (conversation, agent)
) STRICT, WITHOUT ROWID;
CREATE INDEX departures_by_change ON departures (revision);

-- How far each agent has read the messages of an origin.
CREATE TABLE marks (
    agent TEXT NOT NULL,
    conversation TEXT NOT NULL REFERENCES conversations (id),
    sequence INTEGER NOT NULL,
    PRIMARY KEY (agent, conversation)
) STRICT, WITHOUT ROWID;

-- Consumers who want everything erased that is held about them, until the gateway has accepted it.
CREATE TABLE requested_erasures (
    conversation TEXT PRIMARY KEY,
    consumer TEXT NOT NULL,
    connector TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The search index: folded texts and short words of `messages` (see search.py); rowid is the message's position.
CREATE VIRTUAL TABLE words USING fts5 (folded, tokenize = 'trigram');

CREATE TABLE accounts (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    roles TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The language that each agent chose.
CREATE TABLE languages (
    agent TEXT PRIMARY KEY,
    language TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Only the fingerprint of a session's token is stored, so that a reader of this file cannot take over a session.
CREATE TABLE sessions (
    fingerprint BLOB PRIMARY KEY,
    agent TEXT NOT NULL,
    csrf TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_agent ON sessions (agent);

-- The audit log: who did or viewed what, and when.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    did TEXT NOT NULL,
    conversation TEXT,
    attachment TEXT,
    detail TEXT
) STRICT;
