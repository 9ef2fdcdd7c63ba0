-- Events on their way out and in, and tool calls that were answered.

-- Written with the change it tells of; published, and then marked as sent, after the commit.
CREATE TABLE outbox (
    event_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    event_type TEXT NOT NULL,
    user_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- A CloudEvent in structured JSON, without its signature.
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    sent_at INTEGER,
    CONSTRAINT outbox_key PRIMARY KEY (event_id)
) WITHOUT ROWID;
CREATE INDEX outbox_unsent ON outbox (created_at, event_id) WHERE sent_at IS NULL;

-- The events a consumer has dealt with: written with its effect, so that a redelivery has none.
CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    event_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    CONSTRAINT inbox_key PRIMARY KEY (consumer, event_id)
) WITHOUT ROWID;

-- The answers of tool calls, for callers that ask again.
CREATE TABLE calls (
    user_id TEXT NOT NULL,
    call_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    arguments_sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT calls_key PRIMARY KEY (user_id, call_id)
) WITHOUT ROWID;
-- For clearing away old ones.
CREATE INDEX calls_created ON calls (created_at);
