-- Events on their way out and in, and tool calls that were answered.

-- Written with the change it tells of; published, and then marked as sent, after the commit.
CREATE TABLE outbox (
    event_id TEXT COLLATE "C" NOT NULL,
    topic TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    -- A CloudEvent in structured JSON, without its signature.
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    CONSTRAINT outbox_key PRIMARY KEY (event_id)
);
CREATE INDEX outbox_unsent ON outbox (created_at, event_id) WHERE sent_at IS NULL;

-- The events a consumer has dealt with: written with its effect, so that a redelivery has none.
CREATE TABLE inbox (
    consumer TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    CONSTRAINT inbox_key PRIMARY KEY (consumer, event_id)
);

-- The answers of tool calls, for callers that ask again.
CREATE TABLE calls (
    user_id TEXT COLLATE "C" NOT NULL,
    call_id TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C" NOT NULL,
    arguments_sha256 TEXT COLLATE "C" NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT calls_key PRIMARY KEY (user_id, call_id)
);
-- For clearing away old ones.
CREATE INDEX calls_created ON calls (created_at);

ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE calls ENABLE ROW LEVEL SECURITY;
CREATE POLICY outbox_tenant ON outbox TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY inbox_tenant ON inbox TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY calls_tenant ON calls TO todo_app USING (user_id = current_setting('app.user_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, inbox, calls TO todo_app;
