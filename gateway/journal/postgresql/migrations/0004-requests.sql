-- works with: 3
-- request_id   the request that brought a text, an erasure or a report; empty if it is not known

ALTER TABLE outgoing ADD request_id text NOT NULL DEFAULT '';
ALTER TABLE erasure ADD request_id text NOT NULL DEFAULT '';
ALTER TABLE report ADD request_id text NOT NULL DEFAULT '';
