-- What a series of repeating tasks is expanded from, and that each completion makes one next task.

-- The first due date of the series, as it was written: its rule is expanded from there, so that a rhythm never drifts.
ALTER TABLE tasks ADD COLUMN anchor_local TEXT COLLATE "C";
ALTER TABLE tasks ADD COLUMN anchor_zone TEXT COLLATE "C";
-- Which occurrence of its series a task is, the first being 1; skipped ones count.
ALTER TABLE tasks ADD COLUMN ordinal BIGINT;
-- The task that was made when this one was completed.
ALTER TABLE tasks ADD COLUMN next_id BIGINT;
ALTER TABLE tasks ADD CONSTRAINT tasks_series_check CHECK
    ((series_id IS NULL) = (anchor_local IS NULL) AND (series_id IS NULL) = (anchor_zone IS NULL)
        AND (series_id IS NULL) = (ordinal IS NULL)) NOT VALID;

-- Until now every repeating task was the first of its series. From now on `occurrence` is only what a rule gave.
UPDATE tasks SET anchor_local = COALESCE(occurrence, due_local), anchor_zone = due_zone, ordinal = 1, occurrence = NULL
    WHERE repeat_rule IS NOT NULL;
UPDATE tasks SET series_id = NULL, occurrence = NULL WHERE repeat_rule IS NULL;
ALTER TABLE tasks VALIDATE CONSTRAINT tasks_series_check;
