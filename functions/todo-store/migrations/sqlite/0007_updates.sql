-- What open pages have to hear: the updates of the last day, in the order in which they were pushed.

CREATE TABLE updates (
    user_id TEXT NOT NULL,
    -- Where it stands among this person's updates, ascending in the order of the commits: the event's sequence, or the next number
    -- after the last when the event comes late.
    update_offset INTEGER NOT NULL,
    -- The number of the event.
    sequence INTEGER NOT NULL,
    -- JSON, as pages get it.
    body TEXT NOT NULL,
    pushed_at INTEGER NOT NULL,
    CONSTRAINT updates_key PRIMARY KEY (user_id, update_offset)
) WITHOUT ROWID;
-- For clearing away old ones.
CREATE INDEX updates_pushed ON updates (pushed_at);

-- How far each person's updates go.
CREATE TABLE update_heads (
    user_id TEXT NOT NULL,
    last_offset INTEGER NOT NULL,
    -- Up to here updates have been cleared away: who has seen less needs a snapshot.
    cut_offset INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT update_heads_key PRIMARY KEY (user_id)
) WITHOUT ROWID;
