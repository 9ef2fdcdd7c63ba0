-- Reminders on their way: the jobs that wait for them, what the person was shown, and over which channels they were sent.
-- See migrations/postgres for the same tables there.

CREATE TABLE scheduled_reminders (
    user_id TEXT NOT NULL,
    task_id INTEGER NOT NULL,
    -- The job's name, never used twice: whatever is done late to a job that was given up does nothing to the one that replaced it.
    job TEXT NOT NULL,
    -- As written: an offset such as -PT30M, or an instant.
    remind TEXT NOT NULL,
    remind_at INTEGER NOT NULL,
    -- When the job was known to wait. The row is there before it.
    scheduled_at INTEGER,
    -- When it became due: kept as long as the task, so that no moment is reminded of twice.
    fired_at INTEGER,
    -- When it was given up. The row goes when its job is gone.
    cancelled_at INTEGER,
    CONSTRAINT scheduled_reminders_key PRIMARY KEY (user_id, task_id, job),
    CONSTRAINT scheduled_reminders_end_check CHECK (fired_at IS NULL OR cancelled_at IS NULL)
) WITHOUT ROWID;
-- A task reminds once of one moment.
CREATE UNIQUE INDEX scheduled_reminders_moment ON scheduled_reminders (user_id, task_id, remind_at) WHERE cancelled_at IS NULL;

CREATE TABLE notifications (
    user_id TEXT NOT NULL,
    -- The event reminder.due that it tells of.
    event_id TEXT NOT NULL,
    task_id INTEGER NOT NULL,
    -- JSON: the payload of the event.
    body TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    CONSTRAINT notifications_key PRIMARY KEY (user_id, event_id)
) WITHOUT ROWID;
CREATE INDEX notifications_newest ON notifications (user_id, created_at, event_id);
-- For clearing away old ones.
CREATE INDEX notifications_created ON notifications (created_at);

-- One row for each channel that a reminder was tried over, so that a repetition sends only what is missing.
CREATE TABLE deliveries (
    user_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    tried_at INTEGER NOT NULL,
    sent_at INTEGER,
    CONSTRAINT deliveries_key PRIMARY KEY (user_id, event_id, channel)
) WITHOUT ROWID;
CREATE INDEX deliveries_tried ON deliveries (tried_at);
