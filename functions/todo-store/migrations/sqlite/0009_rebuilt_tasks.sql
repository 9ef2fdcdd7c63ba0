-- The tasks as the audit has them, beside the live ones: written by `todo replay --rebuild` and read by nobody else.
-- See migrations/postgres for the same table there.

CREATE TABLE rebuilt_tasks (
    user_id TEXT NOT NULL,
    task_id INTEGER NOT NULL,
    -- The number of the event that said so.
    sequence INTEGER NOT NULL,
    -- JSON as events show a task; NULL when it was deleted.
    task TEXT,
    CONSTRAINT rebuilt_tasks_key PRIMARY KEY (user_id, task_id)
) WITHOUT ROWID;
