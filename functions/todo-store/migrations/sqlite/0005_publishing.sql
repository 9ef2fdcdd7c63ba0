-- Publishing: events are numbered per person, and one publisher at a time sends a person's; and the audit, a chain of all events of
-- a person. See migrations/postgres for the same tables there.

-- Taken in the transaction of the change, so that numbers have no gap and are in the order of the commits.
ALTER TABLE users ADD COLUMN last_event INTEGER NOT NULL DEFAULT 0;
-- Who publishes this person's events at this moment, and until when the claim holds if they are never heard of again.
ALTER TABLE users ADD COLUMN publisher TEXT;
ALTER TABLE users ADD COLUMN publishing_until INTEGER
    CONSTRAINT users_publishing_check CHECK ((publisher IS NULL) = (publishing_until IS NULL));

-- 0: written before events were numbered.
ALTER TABLE outbox ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
-- Why it can never be published: set aside for its operator, so that it holds up nothing behind it.
ALTER TABLE outbox ADD COLUMN problem TEXT;
DROP INDEX outbox_unsent;
CREATE INDEX outbox_unsent ON outbox (created_at, event_id) WHERE sent_at IS NULL AND problem IS NULL;
CREATE INDEX outbox_unsent_of_user ON outbox (user_id, sequence, created_at, event_id)
    WHERE sent_at IS NULL AND problem IS NULL;
-- For clearing away old ones.
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX inbox_received ON inbox (received_at);

-- Until now a refused access did not make its person's row, which the publisher's claim stands in.
INSERT INTO users (user_id, created_at)
    SELECT user_id, min(created_at) FROM outbox WHERE sent_at IS NULL GROUP BY user_id
    ON CONFLICT (user_id) DO NOTHING;

-- One row, everybody's: since when the broker does not take events. Until the relay has got one through, no tool tries.
CREATE TABLE publishing (
    id INTEGER NOT NULL,
    failed_at INTEGER,
    CONSTRAINT publishing_key PRIMARY KEY (id),
    CONSTRAINT publishing_one_check CHECK (id = 1)
) WITHOUT ROWID;
INSERT INTO publishing (id) VALUES (1);

CREATE TABLE audit (
    user_id TEXT NOT NULL,
    -- 1, 2, 3 … per person, without a gap.
    entry INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    topic TEXT NOT NULL,
    -- The event's own number: one that no entry has was lost.
    sequence INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    -- The CloudEvent in structured JSON.
    body TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    -- SHA-256 of the hash before and this entry, see src/audit.rs.
    hash TEXT NOT NULL,
    CONSTRAINT audit_key PRIMARY KEY (user_id, entry),
    CONSTRAINT audit_event_key UNIQUE (user_id, event_id)
);
CREATE INDEX audit_recorded ON audit (recorded_at);

-- Where each person's chain ends, and where it begins once old entries have gone.
CREATE TABLE audit_heads (
    user_id TEXT NOT NULL,
    last_entry INTEGER NOT NULL DEFAULT 0,
    last_hash TEXT NOT NULL DEFAULT '',
    -- The last entry that is gone, its hash, and the highest number of the events that went.
    cut_entry INTEGER NOT NULL DEFAULT 0,
    cut_hash TEXT NOT NULL DEFAULT '',
    cut_sequence INTEGER NOT NULL DEFAULT 0,
    cut_at INTEGER,
    CONSTRAINT audit_heads_key PRIMARY KEY (user_id)
) WITHOUT ROWID;

CREATE TRIGGER audit_append AFTER INSERT ON audit BEGIN
    UPDATE audit_heads SET last_entry = NEW.entry, last_hash = NEW.hash WHERE user_id = NEW.user_id;
END;

-- Whoever changes it all the same must first take this away. Only what the checkpoint has gone past may go.
CREATE TRIGGER audit_refuse_update BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
CREATE TRIGGER audit_refuse_delete BEFORE DELETE ON audit
    WHEN OLD.entry > coalesce((SELECT cut_entry FROM audit_heads WHERE user_id = OLD.user_id), 0) BEGIN
    SELECT RAISE(ABORT, 'the audit is append-only');
END;
