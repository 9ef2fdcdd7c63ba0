-- People's tasks, with what finds them: tags, reminders and words.
-- Instants are milliseconds since 1970, JSON is text; see migrations/postgres for the same tables there.

-- One row per person, made by the first task or conversation. It counts their numbers.
CREATE TABLE users (
    user_id TEXT NOT NULL,
    last_task_id INTEGER NOT NULL DEFAULT 0,
    last_conversation_id INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    CONSTRAINT users_key PRIMARY KEY (user_id)
) WITHOUT ROWID;

CREATE TABLE tasks (
    -- Joins a task to its words: an implicit rowid would not survive a VACUUM.
    search_id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL,
    task_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    completed_at INTEGER,
    -- As the person wrote it: a date or a wall-clock time, and the zone it is read in.
    due_local TEXT,
    due_zone TEXT,
    -- The last moment at which it is not overdue.
    due_at INTEGER,
    repeat_rule TEXT,
    repeat_from TEXT NOT NULL,
    -- [{"at": milliseconds, "text": as written}]; the table reminders indexes it.
    remind TEXT NOT NULL,
    -- 1 (low) to 4 (urgent).
    priority INTEGER,
    -- [{"key": lower case, "tag": as written}]; the table task_tags indexes it.
    tags TEXT NOT NULL,
    series_id INTEGER,
    occurrence TEXT,
    -- The words of title and description, lower case, separated by spaces; the table task_words indexes it.
    words TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CONSTRAINT tasks_key UNIQUE (user_id, task_id),
    -- One completion of a repeating task makes one next task, however often it is told.
    CONSTRAINT tasks_occurrence_key UNIQUE (user_id, series_id, occurrence),
    CONSTRAINT tasks_user_fkey FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE,
    CONSTRAINT tasks_due_check CHECK ((due_at IS NULL) = (due_local IS NULL) AND (due_at IS NULL) = (due_zone IS NULL)),
    CONSTRAINT tasks_priority_check CHECK (priority BETWEEN 1 AND 4),
    CONSTRAINT tasks_repeat_from_check CHECK (repeat_from IN ('due', 'completion'))
);

-- The orders of a list; a task without the field sorts last. The expressions stand in src/tasks/list.rs too.
CREATE INDEX tasks_due ON tasks (user_id, COALESCE(due_at, 9000000000000000), task_id);
CREATE INDEX tasks_priority ON tasks (user_id, COALESCE(priority, -9000000000000000), task_id);
CREATE INDEX tasks_completed ON tasks (user_id, COALESCE(completed_at, -9000000000000000), task_id);
-- The list asked for most often, which would otherwise wade through everything ever done.
CREATE INDEX tasks_pending ON tasks (user_id, task_id) WHERE completed_at IS NULL;

CREATE TABLE task_tags (
    user_id TEXT NOT NULL,
    tag TEXT NOT NULL,
    task_id INTEGER NOT NULL,
    CONSTRAINT task_tags_key PRIMARY KEY (user_id, tag, task_id),
    CONSTRAINT task_tags_task_fkey FOREIGN KEY (user_id, task_id) REFERENCES tasks (user_id, task_id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX task_tags_task ON task_tags (user_id, task_id);

CREATE TABLE reminders (
    user_id TEXT NOT NULL,
    task_id INTEGER NOT NULL,
    -- As written: an offset such as -PT30M, or an instant.
    remind TEXT NOT NULL,
    remind_at INTEGER NOT NULL,
    CONSTRAINT reminders_key PRIMARY KEY (user_id, task_id, remind),
    CONSTRAINT reminders_task_fkey FOREIGN KEY (user_id, task_id) REFERENCES tasks (user_id, task_id) ON DELETE CASCADE
) WITHOUT ROWID;

-- The ASCII tokenizer splits at spaces only, as the words come prepared. The owner is a word like the others, so that a search
-- reads only one person's.
CREATE VIRTUAL TABLE task_words USING fts5 (owner, words, tokenize = 'ascii', content = '', contentless_delete = 1);

CREATE TRIGGER tasks_insert AFTER INSERT ON tasks BEGIN
    INSERT INTO task_words (rowid, owner, words) VALUES (NEW.search_id, hex(NEW.user_id), NEW.words);
    INSERT INTO task_tags (user_id, tag, task_id)
        SELECT NEW.user_id, tag.value ->> 'key', NEW.task_id FROM json_each(NEW.tags) AS tag;
    INSERT INTO reminders (user_id, task_id, remind, remind_at)
        SELECT NEW.user_id, NEW.task_id, remind.value ->> 'text', remind.value ->> 'at' FROM json_each(NEW.remind) AS remind
        WHERE remind.value ->> 'at' IS NOT NULL;
END;

CREATE TRIGGER tasks_update_words AFTER UPDATE OF words ON tasks WHEN NEW.words <> OLD.words BEGIN
    DELETE FROM task_words WHERE rowid = OLD.search_id;
    INSERT INTO task_words (rowid, owner, words) VALUES (NEW.search_id, hex(NEW.user_id), NEW.words);
END;

CREATE TRIGGER tasks_update_tags AFTER UPDATE OF tags ON tasks WHEN NEW.tags <> OLD.tags BEGIN
    DELETE FROM task_tags WHERE user_id = OLD.user_id AND task_id = OLD.task_id;
    INSERT INTO task_tags (user_id, tag, task_id)
        SELECT NEW.user_id, tag.value ->> 'key', NEW.task_id FROM json_each(NEW.tags) AS tag;
END;

CREATE TRIGGER tasks_update_remind AFTER UPDATE OF remind ON tasks WHEN NEW.remind <> OLD.remind BEGIN
    DELETE FROM reminders WHERE user_id = OLD.user_id AND task_id = OLD.task_id;
    INSERT INTO reminders (user_id, task_id, remind, remind_at)
        SELECT NEW.user_id, NEW.task_id, remind.value ->> 'text', remind.value ->> 'at' FROM json_each(NEW.remind) AS remind
        WHERE remind.value ->> 'at' IS NOT NULL;
END;

-- Tags and reminders go by their foreign keys where those are on; where a host leaves them off, here.
CREATE TRIGGER tasks_delete AFTER DELETE ON tasks BEGIN
    DELETE FROM task_words WHERE rowid = OLD.search_id;
    DELETE FROM task_tags WHERE user_id = OLD.user_id AND task_id = OLD.task_id;
    DELETE FROM reminders WHERE user_id = OLD.user_id AND task_id = OLD.task_id;
END;
