//! Reminders on their way to the person: which jobs wait for them, which moments were due, and over which channels they were sent.
//!
//! A job is an effect outside the database, so it is noted before it is made and after: [`plan`] commits which jobs there have to be,
//! the caller puts and cancels them in no transaction at all, and [`Plan::settle`] commits that it was done. Whatever breaks off in
//! between, the next plan of the same task finds what was not done and asks for it again. Three things make this safe without a lock
//! that is held while a sidecar answers:
//!
//! - a plan looks at the task as it *is*, behind the person's row, which every change of their tasks also locks: so the last plan
//!   that commits has seen the last change;
//! - a job's name is never used twice. A moment that is wanted again after it was given up gets a new job, so cancelling the old
//!   one late, or twice, takes nothing away;
//! - a job proves nothing: [`fire`] asks whether the moment is still wanted. A job too many does nothing.

mod clearing;
mod delivery;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use todo_domain::{Task, TaskId};
use todo_events::Event;
use uuid::Uuid;

use crate::statements::statements;
use crate::{Dialect, Error, Row, Transaction, outbox, tasks};

#[cfg(feature = "testing")]
pub(crate) use clearing::ALL as CLEARING_STATEMENTS;
#[cfg(feature = "testing")]
pub(crate) use delivery::ALL as DELIVERY_STATEMENTS;
pub use delivery::{Notification, failed, notifications, sent, sent_over, show};

statements! {
    PERSON = "SELECT last_event FROM users WHERE user_id = $1";
    /// The moments of a pending task; two reminders of one moment are one.
    WANTED = "SELECT reminders.remind_at, MIN(reminders.remind) FROM reminders \
        JOIN tasks ON tasks.user_id = reminders.user_id AND tasks.task_id = reminders.task_id \
        WHERE reminders.user_id = $1 AND reminders.task_id = $2 AND tasks.completed_at IS NULL \
        GROUP BY reminders.remind_at ORDER BY reminders.remind_at";
    SCHEDULED = "SELECT job, remind, remind_at, scheduled_at, fired_at, cancelled_at FROM scheduled_reminders \
        WHERE user_id = $1 AND task_id = $2";
    ADD = "INSERT INTO scheduled_reminders (user_id, task_id, job, remind, remind_at) VALUES ($1, $2, $3, $4, $5)";
    CANCEL = "UPDATE scheduled_reminders SET cancelled_at = $1 WHERE user_id = $2 AND task_id = $3 AND job = $4";
    SETTLE = "UPDATE scheduled_reminders SET scheduled_at = $1 \
        WHERE user_id = $2 AND task_id = $3 AND job = $4 AND scheduled_at IS NULL";
    REMOVE = "DELETE FROM scheduled_reminders WHERE user_id = $1 AND task_id = $2 AND job = $3";
    /// What was due of a task that is no more.
    FORGET = "DELETE FROM scheduled_reminders WHERE user_id = $1 AND task_id = $2 AND fired_at IS NOT NULL \
        AND NOT EXISTS (SELECT 1 FROM tasks WHERE user_id = $1 AND task_id = $2)";
    LIVE = "SELECT remind, remind_at FROM scheduled_reminders \
        WHERE user_id = $1 AND task_id = $2 AND job = $3 AND fired_at IS NULL AND cancelled_at IS NULL";
    FIRED = "UPDATE scheduled_reminders SET fired_at = $1 WHERE user_id = $2 AND task_id = $3 AND job = $4";
}

/// "Remind me at 9", said at 9:02, is about the past; said at 9:00:20 it is about now.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// A job that waits for a moment of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name, and the reminder's in all events.
    pub name: String,
    /// The reminder as written: an instant, or an offset such as `-PT30M`.
    pub remind: String,
    /// When to remind.
    pub remind_at: Timestamp,
}

/// What has to be done outside so that exactly the wanted reminders of a task wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The task at that moment; `None` when no job has to be put.
    pub task: Option<Task>,
    /// Jobs to put. Some may be waiting already: putting one again changes nothing.
    pub put: Vec<Job>,
    /// The names of jobs to cancel. Some may be gone already.
    pub cancel: Vec<String>,
    task_id: TaskId,
}

struct Scheduled {
    job: Job,
    scheduled: bool,
    fired: bool,
    cancelled: bool,
}

/// Notes which jobs this task must have from now on, and tells what is to be done for it once the transaction is committed. A
/// moment that was over for more than a minute at `set_at`, when the person said it, gets none.
pub async fn plan(tx: &mut Transaction, task_id: TaskId, set_at: Timestamp) -> Result<Plan, Error> {
    lock_person(tx).await?;
    let wanted = moments(tx, task_id).await?;
    let scheduled = scheduled(tx, task_id).await?;
    if wanted.is_empty() && scheduled.iter().any(|reminder| reminder.fired) {
        tx.execute(FORGET, vec![tx.user(), task_id.0.into()]).await?;
    }
    let mut plan = Plan { task: None, put: Vec::new(), cancel: Vec::new(), task_id };
    let mut missing = wanted.clone();
    for Scheduled { job, scheduled, fired, cancelled } in scheduled {
        let wanted = wanted.contains_key(&job.remind_at);
        if !cancelled {
            missing.remove(&job.remind_at);
        }
        match (cancelled, fired) {
            (true, _) => plan.cancel.push(job.name),
            (false, true) => {}
            (false, false) if !wanted => plan.cancel(tx, job.name).await?,
            (false, false) if !scheduled => plan.put.push(job),
            (false, false) => {}
        }
    }
    let past = set_at.saturating_sub(GRACE).unwrap_or(Timestamp::MIN);
    for (remind_at, remind) in missing.into_iter().filter(|(remind_at, _)| *remind_at >= past) {
        plan.add(tx, remind, remind_at).await?;
    }
    if !plan.put.is_empty() {
        plan.task = Some(tasks::get(tx, task_id).await?);
    }
    Ok(plan)
}

impl Plan {
    /// Whether nothing has to be done.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.cancel.is_empty()
    }

    /// Notes that it was done: the jobs wait, or are gone.
    pub async fn settle(&self, tx: &mut Transaction) -> Result<(), Error> {
        for job in &self.put {
            let parameters =
                vec![tx.now().into(), tx.user(), self.task_id.0.into(), job.name.as_str().into()];
            tx.execute(SETTLE, parameters).await?;
        }
        for name in &self.cancel {
            tx.execute(REMOVE, vec![tx.user(), self.task_id.0.into(), name.as_str().into()]).await?;
        }
        Ok(())
    }

    async fn add(&mut self, tx: &mut Transaction, remind: String, remind_at: Timestamp) -> Result<(), Error> {
        let name = format!("reminder-{}", Uuid::new_v4().simple());
        let parameters = vec![
            tx.user(),
            self.task_id.0.into(),
            name.as_str().into(),
            remind.as_str().into(),
            remind_at.into(),
        ];
        tx.execute(ADD, parameters).await?;
        self.put.push(Job { name, remind, remind_at });
        Ok(())
    }

    async fn cancel(&mut self, tx: &mut Transaction, name: String) -> Result<(), Error> {
        let parameters = vec![tx.now().into(), tx.user(), self.task_id.0.into(), name.as_str().into()];
        tx.execute(CANCEL, parameters).await?;
        self.cancel.push(name);
        Ok(())
    }
}

/// The time of this job has come: writes `reminder.due` and says so, if the moment is still wanted and was not due before.
pub async fn fire(tx: &mut Transaction, task_id: TaskId, job: &str) -> Result<bool, Error> {
    lock_person(tx).await?;
    let Some(mut live) = tx.row(LIVE, vec![tx.user(), task_id.0.into(), job.into()]).await? else {
        return Ok(false);
    };
    let (remind, remind_at) = (live.text()?, live.instant()?);
    if !wanted(tx, task_id, remind_at).await? {
        // The job is spent: should the moment be wanted again, it needs another.
        tx.execute(REMOVE, vec![tx.user(), task_id.0.into(), job.into()]).await?;
        return Ok(false);
    }
    tx.execute(FIRED, vec![tx.now().into(), tx.user(), task_id.0.into(), job.into()]).await?;
    let task = tasks::get(tx, task_id).await?;
    let due = Event::reminder_due(tx.user_id(), job, &task, &remind, remind_at, tx.now());
    outbox::write(tx, &[due]).await?;
    Ok(true)
}

/// Whether the task is there, pending, and is to remind at that moment.
pub async fn wanted(tx: &mut Transaction, task_id: TaskId, remind_at: Timestamp) -> Result<bool, Error> {
    Ok(moments(tx, task_id).await?.contains_key(&remind_at))
}

/// Waits for the person's changes that are under way, and keeps others waiting. Nobody holds this while a sidecar answers.
async fn lock_person(tx: &mut Transaction) -> Result<(), Error> {
    let statement = person(tx.dialect());
    tx.row(statement, vec![tx.user()]).await.map(drop)
}

pub(crate) fn person(dialect: Dialect) -> String {
    format!("{PERSON}{}", dialect.lock_row())
}

async fn moments(tx: &mut Transaction, task_id: TaskId) -> Result<BTreeMap<Timestamp, String>, Error> {
    let rows = tx.rows(WANTED, vec![tx.user(), task_id.0.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.instant()?, row.text()?))).collect()
}

async fn scheduled(tx: &mut Transaction, task_id: TaskId) -> Result<Vec<Scheduled>, Error> {
    let reminder = |mut row: Row| {
        Ok(Scheduled {
            job: Job { name: row.text()?, remind: row.text()?, remind_at: row.instant()? },
            scheduled: row.optional_instant()?.is_some(),
            fired: row.optional_instant()?.is_some(),
            cancelled: row.optional_instant()?.is_some(),
        })
    };
    let rows = tx.rows(SCHEDULED, vec![tx.user(), task_id.0.into()]).await?;
    rows.into_iter().map(reminder).collect()
}
