-- Several nodes. Who owns what is in no table: a shard is an advisory lock of the node's writing session (locks.py).
--
-- node         what each node says about itself every second; whether it lives, its lock says
-- connector_health   the last check of each connector, which its owner makes
-- begun        attempts for a file since the last one that ended: a file that ends its node must not end every node
-- attempts, refused_at   of an event that the core refuses, so that any node can list it

CREATE TABLE node (
    number integer GENERATED ALWAYS AS IDENTITY UNIQUE, name text PRIMARY KEY, version text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(), seen_at timestamptz NOT NULL DEFAULT now(),
    waiting bigint NOT NULL DEFAULT 0, unread bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);

CREATE TABLE connector_health (connector text PRIMARY KEY, health bytea NOT NULL);

ALTER TABLE attachment ADD begun bigint NOT NULL DEFAULT 0;

ALTER TABLE outbox ADD attempts bigint NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD refused_at bigint;
CREATE INDEX outbox_refused ON outbox (refused_at) WHERE refused_at IS NOT NULL;
CREATE INDEX outbox_shard ON outbox ((conversation & 63), key);
CREATE INDEX attachment_shard ON attachment (((message >> 32) & 63), due) WHERE state = 'pending';
