-- People's tasks, with what finds them: tags, reminders and words; and the role that sees only one person's rows.
-- Instants are BIGINT milliseconds since 1970, JSON is TEXT, identifiers compare bytewise: the statements are the same on SQLite.

-- Every tenant's transaction takes on this role. Roles belong to the whole server, so another database may have made it, or be
-- making it right now.
DO $$
BEGIN
    CREATE ROLE todo_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'todo_app', 'MEMBER') THEN
        EXECUTE format('GRANT todo_app TO %I', current_user);
    END IF;
EXCEPTION
    WHEN unique_violation THEN NULL;
END
$$;
DO $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO todo_app', current_schema());
END
$$;

-- One row per person, made by the first task or conversation. It counts their numbers.
CREATE TABLE users (
    user_id TEXT COLLATE "C" NOT NULL,
    last_task_id BIGINT NOT NULL DEFAULT 0,
    last_conversation_id BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    CONSTRAINT users_key PRIMARY KEY (user_id)
);

CREATE TABLE tasks (
    user_id TEXT COLLATE "C" NOT NULL,
    task_id BIGINT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    completed_at BIGINT,
    -- As the person wrote it: a date or a wall-clock time, and the zone it is read in.
    due_local TEXT COLLATE "C",
    due_zone TEXT COLLATE "C",
    -- The last moment at which it is not overdue.
    due_at BIGINT,
    repeat_rule TEXT COLLATE "C",
    repeat_from TEXT COLLATE "C" NOT NULL,
    -- [{"at": milliseconds, "text": as written}]; the table reminders indexes it.
    remind TEXT NOT NULL,
    -- 1 (low) to 4 (urgent).
    priority BIGINT,
    -- [{"key": lower case, "tag": as written}]; the table task_tags indexes it.
    tags TEXT NOT NULL,
    series_id BIGINT,
    occurrence TEXT COLLATE "C",
    -- The words of title and description, lower case, separated by spaces. They come prepared, so the index takes them as they
    -- are: a text parser would find URLs, signed numbers and other things that SQLite does not.
    words TEXT NOT NULL,
    search TSVECTOR GENERATED ALWAYS AS (array_to_tsvector(string_to_array(words, ' '))) STORED,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT tasks_key PRIMARY KEY (user_id, task_id),
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
CREATE INDEX tasks_search ON tasks USING gin (search);

CREATE TABLE task_tags (
    user_id TEXT COLLATE "C" NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    task_id BIGINT NOT NULL,
    CONSTRAINT task_tags_key PRIMARY KEY (user_id, tag, task_id),
    CONSTRAINT task_tags_task_fkey FOREIGN KEY (user_id, task_id) REFERENCES tasks (user_id, task_id) ON DELETE CASCADE
);
CREATE INDEX task_tags_task ON task_tags (user_id, task_id);

CREATE TABLE reminders (
    user_id TEXT COLLATE "C" NOT NULL,
    task_id BIGINT NOT NULL,
    -- As written: an offset such as -PT30M, or an instant.
    remind TEXT COLLATE "C" NOT NULL,
    remind_at BIGINT NOT NULL,
    CONSTRAINT reminders_key PRIMARY KEY (user_id, task_id, remind),
    CONSTRAINT reminders_task_fkey FOREIGN KEY (user_id, task_id) REFERENCES tasks (user_id, task_id) ON DELETE CASCADE
);

CREATE FUNCTION index_task_tags() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM task_tags WHERE user_id = OLD.user_id AND task_id = OLD.task_id;
    END IF;
    INSERT INTO task_tags (user_id, tag, task_id)
        SELECT NEW.user_id, tag ->> 'key', NEW.task_id FROM json_array_elements(NEW.tags::json) AS tag;
    RETURN NULL;
END
$$;
CREATE TRIGGER tasks_insert_tags AFTER INSERT ON tasks
    FOR EACH ROW WHEN (NEW.tags <> '[]') EXECUTE FUNCTION index_task_tags();
CREATE TRIGGER tasks_update_tags AFTER UPDATE OF tags ON tasks
    FOR EACH ROW WHEN (NEW.tags <> OLD.tags) EXECUTE FUNCTION index_task_tags();

CREATE FUNCTION index_task_reminders() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM reminders WHERE user_id = OLD.user_id AND task_id = OLD.task_id;
    END IF;
    INSERT INTO reminders (user_id, task_id, remind, remind_at)
        SELECT NEW.user_id, NEW.task_id, remind ->> 'text', (remind ->> 'at')::bigint
        FROM json_array_elements(NEW.remind::json) AS remind WHERE remind ->> 'at' IS NOT NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER tasks_insert_reminders AFTER INSERT ON tasks
    FOR EACH ROW WHEN (NEW.remind <> '[]') EXECUTE FUNCTION index_task_reminders();
CREATE TRIGGER tasks_update_reminders AFTER UPDATE OF remind ON tasks
    FOR EACH ROW WHEN (NEW.remind <> OLD.remind) EXECUTE FUNCTION index_task_reminders();

-- Finds the bound tenant's tasks by their words. The operator @@ is not leakproof, so under row-level security the planner
-- would look at every row before it asked the index. This runs as the owner, to whom the policies do not apply, and says
-- itself whose tasks are meant.
DO $$
BEGIN
    EXECUTE format($definition$
        CREATE FUNCTION task_search(query TEXT) RETURNS SETOF BIGINT
        LANGUAGE sql STABLE SECURITY DEFINER ROWS 50 SET search_path = %1$I, pg_temp AS $function$
            SELECT task_id FROM tasks
            WHERE user_id = current_setting('app.user_id', true) AND search @@ query::tsquery
        $function$
    $definition$, current_schema());
END
$$;
REVOKE ALL ON FUNCTION task_search(TEXT) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION task_search(TEXT) TO todo_app;

-- Without a tenant the setting is NULL or empty, and no row is anybody's.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
ALTER TABLE task_tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE reminders ENABLE ROW LEVEL SECURITY;
CREATE POLICY users_tenant ON users TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY tasks_tenant ON tasks TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY task_tags_tenant ON task_tags TO todo_app USING (user_id = current_setting('app.user_id', true));
CREATE POLICY reminders_tenant ON reminders TO todo_app USING (user_id = current_setting('app.user_id', true));
GRANT SELECT, INSERT, UPDATE, DELETE ON users, tasks, task_tags, reminders TO todo_app;
