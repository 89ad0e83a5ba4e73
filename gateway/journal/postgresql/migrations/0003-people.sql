-- taken       events that the core has accepted; `body` is NULL if it is made from the message again
-- erasure     persons to erase, and the receipts; `consumer` is NULL once that is done
-- forgotten   erased conversations that the built-in workspace has yet to erase

CREATE TABLE taken (
    key bigint PRIMARY KEY, conversation bigint NOT NULL, event_id text NOT NULL, type text NOT NULL,
    time bigint NOT NULL, taken_at bigint NOT NULL, message bigint, attachment text, body bytea);
CREATE INDEX taken_in_conversation ON taken (conversation, key);

CREATE TABLE erasure (
    id text PRIMARY KEY, consumer text, consumer_hash text NOT NULL, connector text, requested_at bigint NOT NULL,
    conversations bigint NOT NULL DEFAULT 0, messages bigint NOT NULL DEFAULT 0, files bigint NOT NULL DEFAULT 0,
    finished_at bigint);

CREATE TABLE forgotten (conversation text PRIMARY KEY);
