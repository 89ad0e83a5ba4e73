-- Only the fingerprint of a ticket is stored: see tickets.py. `session` is the session that it was issued to.
CREATE TABLE tickets (
    fingerprint BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('page', 'window')),
    consumer TEXT NOT NULL REFERENCES consumers (id),
    session BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX tickets_by_consumer ON tickets (consumer);
CREATE INDEX tickets_by_session ON tickets (session);
CREATE INDEX tickets_by_time ON tickets (expires_at);
