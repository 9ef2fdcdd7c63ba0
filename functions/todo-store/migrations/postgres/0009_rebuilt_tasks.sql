-- The tasks as the audit has them, beside the live ones: written by `todo replay --rebuild` and read by nobody else.

-- No role of the functions' may touch it; only the owner, which the operator's commands are.
CREATE TABLE rebuilt_tasks (
    user_id TEXT COLLATE "C" NOT NULL,
    task_id BIGINT NOT NULL,
    -- The number of the event that said so.
    sequence BIGINT NOT NULL,
    -- JSON as events show a task; NULL when it was deleted.
    task TEXT,
    CONSTRAINT rebuilt_tasks_key PRIMARY KEY (user_id, task_id)
);
