-- What a series of repeating tasks is expanded from, and that each completion makes one next task.

-- The first due date of the series, as it was written: its rule is expanded from there, so that a rhythm never drifts.
ALTER TABLE tasks ADD COLUMN anchor_local TEXT;
ALTER TABLE tasks ADD COLUMN anchor_zone TEXT;
-- Which occurrence of its series a task is, the first being 1; skipped ones count.
ALTER TABLE tasks ADD COLUMN ordinal INTEGER;
-- The task that was made when this one was completed.
ALTER TABLE tasks ADD COLUMN next_id INTEGER;

-- Until now every repeating task was the first of its series. From now on `occurrence` is only what a rule gave.
UPDATE tasks SET anchor_local = COALESCE(occurrence, due_local), anchor_zone = due_zone, ordinal = 1, occurrence = NULL
    WHERE repeat_rule IS NOT NULL;
UPDATE tasks SET series_id = NULL, occurrence = NULL WHERE repeat_rule IS NULL;
