-- Events that could not be handled, until somebody decides.

-- Not a tenant's: most of what stands here is nobody's for certain. Only the operator's commands read it.
CREATE TABLE dead_letters (
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    -- The function it was for, and at which path of it.
    consumer TEXT COLLATE "C" NOT NULL,
    path TEXT NOT NULL,
    -- What makes two of them the same, see functions/event-keep-dead-letter.
    digest TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    event_type TEXT COLLATE "C" NOT NULL,
    -- Empty when it cannot be told.
    topic TEXT COLLATE "C" NOT NULL,
    -- Whose it is, if its signature says so.
    user_id TEXT COLLATE "C",
    -- What the consumer answered last; NULL when nothing.
    status BIGINT,
    reason TEXT NOT NULL,
    -- How often it has come here, or was retried in vain.
    attempts BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    -- JSON: the CloudEvent without a person's token; of what is none, its headers and its bytes.
    body TEXT NOT NULL,
    CONSTRAINT dead_letters_key PRIMARY KEY (number),
    CONSTRAINT dead_letters_event_key UNIQUE (consumer, digest)
);
CREATE INDEX dead_letters_consumer ON dead_letters (consumer, number);
CREATE INDEX dead_letters_type ON dead_letters (event_type, number);

-- A component puts them here, counts those that come again, and reads nothing else.
GRANT INSERT, SELECT (consumer, digest, attempts), UPDATE (status, reason, attempts, last_at) ON dead_letters TO todo_relay;
