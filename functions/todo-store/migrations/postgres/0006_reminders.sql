-- Reminders on their way: the jobs that wait for them, what the person was shown, and over which channels they were sent.

CREATE TABLE scheduled_reminders (
    user_id TEXT COLLATE "C" NOT NULL,
    task_id BIGINT NOT NULL,
    -- The job's name, never used twice: whatever is done late to a job that was given up does nothing to the one that replaced it.
    job TEXT COLLATE "C" NOT NULL,
    -- As written: an offset such as -PT30M, or an instant.
    remind TEXT COLLATE "C" NOT NULL,
    remind_at BIGINT NOT NULL,
    -- When the job was known to wait. The row is there before it.
    scheduled_at BIGINT,
    -- When it became due: kept as long as the task, so that no moment is reminded of twice.
    fired_at BIGINT,
    -- When it was given up. The row goes when its job is gone.
    cancelled_at BIGINT,
    CONSTRAINT scheduled_reminders_key PRIMARY KEY (user_id, task_id, job),
    CONSTRAINT scheduled_reminders_end_check CHECK (fired_at IS NULL OR cancelled_at IS NULL)
);
-- A task reminds once of one moment.
CREATE UNIQUE INDEX scheduled_reminders_moment ON scheduled_reminders (user_id, task_id, remind_at) WHERE cancelled_at IS NULL;

CREATE TABLE notifications (
    user_id TEXT COLLATE "C" NOT NULL,
    -- The event reminder.due that it tells of.
    event_id TEXT COLLATE "C" NOT NULL,
    task_id BIGINT NOT NULL,
    -- JSON: the payload of the event.
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT notifications_key PRIMARY KEY (user_id, event_id)
);
CREATE INDEX notifications_newest ON notifications (user_id, created_at, event_id);
-- For clearing away old ones.
CREATE INDEX notifications_created ON notifications (created_at);

-- One row for each channel that a reminder was tried over, so that a repetition sends only what is missing.
CREATE TABLE deliveries (
    user_id TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    tried_at BIGINT NOT NULL,
    sent_at BIGINT,
    CONSTRAINT deliveries_key PRIMARY KEY (user_id, event_id, channel)
);
CREATE INDEX deliveries_tried ON deliveries (tried_at);

ALTER TABLE scheduled_reminders ENABLE ROW LEVEL SECURITY;
ALTER TABLE notifications ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY scheduled_reminders_tenant ON scheduled_reminders TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY notifications_tenant ON notifications TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY deliveries_tenant ON deliveries TO todo_app USING (user_id = current_setting('app.user_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON scheduled_reminders, notifications, deliveries TO todo_app;

CREATE POLICY notifications_relay ON notifications TO todo_relay USING (true);
CREATE POLICY deliveries_relay ON deliveries TO todo_relay USING (true);
GRANT SELECT (created_at), DELETE ON notifications TO todo_relay;
GRANT SELECT (tried_at), DELETE ON deliveries TO todo_relay;
