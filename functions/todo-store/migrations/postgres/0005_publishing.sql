-- Publishing: events are numbered per person, and one publisher at a time sends a person's; the relay that sends what was left behind;
-- and the audit, a chain of all events of a person.

-- Taking a number locks the person's row until the commit, so that numbers have no gap and are in the order of the commits.
ALTER TABLE users ADD COLUMN last_event BIGINT NOT NULL DEFAULT 0;
-- Who publishes this person's events at this moment, and until when the claim holds if they are never heard of again.
ALTER TABLE users ADD COLUMN publisher TEXT COLLATE "C";
ALTER TABLE users ADD COLUMN publishing_until BIGINT;
ALTER TABLE users ADD CONSTRAINT users_publishing_check CHECK ((publisher IS NULL) = (publishing_until IS NULL));

-- 0: written before events were numbered.
ALTER TABLE outbox ADD COLUMN sequence BIGINT NOT NULL DEFAULT 0;
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
    id BIGINT NOT NULL,
    failed_at BIGINT,
    CONSTRAINT publishing_key PRIMARY KEY (id),
    CONSTRAINT publishing_one_check CHECK (id = 1)
);
INSERT INTO publishing (id) VALUES (1);
GRANT SELECT, UPDATE ON publishing TO todo_app;

CREATE TABLE audit (
    user_id TEXT COLLATE "C" NOT NULL,
    -- 1, 2, 3 … per person, without a gap.
    entry BIGINT NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    -- The event's own number: one that no entry has was lost.
    sequence BIGINT NOT NULL,
    occurred_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    -- The CloudEvent in structured JSON.
    body TEXT NOT NULL,
    previous_hash TEXT COLLATE "C" NOT NULL,
    -- SHA-256 of the hash before and this entry, see src/audit.rs.
    hash TEXT COLLATE "C" NOT NULL,
    CONSTRAINT audit_key PRIMARY KEY (user_id, entry),
    CONSTRAINT audit_event_key UNIQUE (user_id, event_id)
);
CREATE INDEX audit_recorded ON audit (recorded_at);

-- Where each person's chain ends, and where it begins once old entries have gone.
CREATE TABLE audit_heads (
    user_id TEXT COLLATE "C" NOT NULL,
    last_entry BIGINT NOT NULL DEFAULT 0,
    last_hash TEXT COLLATE "C" NOT NULL DEFAULT '',
    -- The last entry that is gone, its hash, and the highest number of the events that went.
    cut_entry BIGINT NOT NULL DEFAULT 0,
    cut_hash TEXT COLLATE "C" NOT NULL DEFAULT '',
    cut_sequence BIGINT NOT NULL DEFAULT 0,
    cut_at BIGINT,
    CONSTRAINT audit_heads_key PRIMARY KEY (user_id)
);

CREATE FUNCTION audit_append() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE audit_heads SET last_entry = NEW.entry, last_hash = NEW.hash WHERE user_id = NEW.user_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER audit_append AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_append();

-- Whoever changes it all the same must first take this away, which leaves its own traces. Only what the checkpoint has gone past
-- may go.
CREATE FUNCTION audit_refuse() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.entry <= (SELECT cut_entry FROM audit_heads WHERE user_id = OLD.user_id) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit is append-only';
END
$$;
CREATE TRIGGER audit_refuse BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_refuse_all BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_tenant ON audit TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY audit_heads_tenant ON audit_heads TO todo_app USING (user_id = current_setting('app.user_id', true));
GRANT SELECT, INSERT ON audit TO todo_app;
GRANT SELECT, INSERT, UPDATE (last_entry, last_hash) ON audit_heads TO todo_app;

-- The relay works for everybody, and may therefore do little: send what waits, and clear away what is old.
DO $$
BEGIN
    CREATE ROLE todo_relay NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'todo_relay', 'MEMBER') THEN
        EXECUTE format('GRANT todo_relay TO %I', current_user);
    END IF;
EXCEPTION
    WHEN unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO todo_relay', current_schema());
END
$$;
CREATE POLICY users_relay ON users TO todo_relay USING (true);
CREATE POLICY outbox_relay ON outbox TO todo_relay USING (true);
CREATE POLICY inbox_relay ON inbox TO todo_relay USING (true);
CREATE POLICY calls_relay ON calls TO todo_relay USING (true);
CREATE POLICY audit_relay ON audit TO todo_relay USING (true);
CREATE POLICY audit_heads_relay ON audit_heads TO todo_relay USING (true);
GRANT SELECT (user_id, last_event, publisher, publishing_until), UPDATE (publisher, publishing_until) ON users TO todo_relay;
GRANT SELECT, UPDATE (sent_at, problem), DELETE ON outbox TO todo_relay;
GRANT SELECT, UPDATE ON publishing TO todo_relay;
GRANT SELECT (received_at), DELETE ON inbox TO todo_relay;
GRANT SELECT (created_at), DELETE ON calls TO todo_relay;
GRANT SELECT (user_id, entry, sequence, recorded_at, hash), DELETE ON audit TO todo_relay;
GRANT SELECT, UPDATE (cut_entry, cut_hash, cut_sequence, cut_at) ON audit_heads TO todo_relay;
