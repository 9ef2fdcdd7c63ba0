-- What open pages have to hear: the updates of the last day, in the order in which they were pushed.

CREATE TABLE updates (
    user_id TEXT COLLATE "C" NOT NULL,
    -- Where it stands among this person's updates, ascending in the order of the commits: the event's sequence, or the next number
    -- after the last when the event comes late.
    update_offset BIGINT NOT NULL,
    -- The number of the event.
    sequence BIGINT NOT NULL,
    -- JSON, as pages get it.
    body TEXT NOT NULL,
    pushed_at BIGINT NOT NULL,
    CONSTRAINT updates_key PRIMARY KEY (user_id, update_offset)
);
-- For clearing away old ones.
CREATE INDEX updates_pushed ON updates (pushed_at);

-- How far each person's updates go. Pushing locks the row, so that no update becomes visible behind a later one.
CREATE TABLE update_heads (
    user_id TEXT COLLATE "C" NOT NULL,
    last_offset BIGINT NOT NULL,
    -- Up to here updates have been cleared away: who has seen less needs a snapshot.
    cut_offset BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT update_heads_key PRIMARY KEY (user_id)
);

ALTER TABLE updates ENABLE ROW LEVEL SECURITY;
ALTER TABLE update_heads ENABLE ROW LEVEL SECURITY;
CREATE POLICY updates_tenant ON updates TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY update_heads_tenant ON update_heads TO todo_app USING (user_id = current_setting('app.user_id', true));
GRANT SELECT, INSERT ON updates TO todo_app;
GRANT SELECT, INSERT, UPDATE (last_offset) ON update_heads TO todo_app;

CREATE POLICY updates_relay ON updates TO todo_relay USING (true);
CREATE POLICY update_heads_relay ON update_heads TO todo_relay USING (true);
GRANT SELECT (user_id, update_offset, pushed_at), DELETE ON updates TO todo_relay;
GRANT SELECT, UPDATE (cut_offset) ON update_heads TO todo_relay;
