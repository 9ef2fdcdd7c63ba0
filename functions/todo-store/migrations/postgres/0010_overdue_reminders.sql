-- Whether reminders are late, for those who watch the system.

-- The last condition keeps it out of plans that look for one person's reminders.
CREATE INDEX scheduled_reminders_waiting ON scheduled_reminders (remind_at)
    WHERE fired_at IS NULL AND cancelled_at IS NULL AND remind_at IS NOT NULL;

-- The relay, which is nobody, learns when the oldest of all was to fire: not whose it is, nor of which task.
CREATE POLICY scheduled_reminders_relay ON scheduled_reminders FOR SELECT TO todo_relay USING (true);
GRANT SELECT (remind_at, fired_at, cancelled_at) ON scheduled_reminders TO todo_relay;
