-- Events that could not be handled, until somebody decides. See migrations/postgres for the same table there.

-- Not a tenant's: most of what stands here is nobody's for certain. Only the operator's commands read it.
CREATE TABLE dead_letters (
    -- Given to no other once it is gone.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    -- The function it was for, and at which path of it.
    consumer TEXT NOT NULL,
    path TEXT NOT NULL,
    -- What makes two of them the same, see functions/event-keep-dead-letter.
    digest TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    -- Empty when it cannot be told.
    topic TEXT NOT NULL,
    -- Whose it is, if its signature says so.
    user_id TEXT,
    -- What the consumer answered last; NULL when nothing.
    status INTEGER,
    reason TEXT NOT NULL,
    -- How often it has come here, or was retried in vain.
    attempts INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    -- JSON: the CloudEvent without a person's token; of what is none, its headers and its bytes.
    body TEXT NOT NULL,
    CONSTRAINT dead_letters_event_key UNIQUE (consumer, digest)
);
CREATE INDEX dead_letters_consumer ON dead_letters (consumer, number);
CREATE INDEX dead_letters_type ON dead_letters (event_type, number);
