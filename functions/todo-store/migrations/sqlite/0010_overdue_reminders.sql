-- Whether reminders are late, for those who watch the system. See migrations/postgres for the same there.

-- The last condition keeps it out of plans that look for one person's reminders.
CREATE INDEX scheduled_reminders_waiting ON scheduled_reminders (remind_at)
    WHERE fired_at IS NULL AND cancelled_at IS NULL AND remind_at IS NOT NULL;
