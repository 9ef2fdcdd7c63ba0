//! Jobs in the store.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};

use super::request::{FailurePolicy, JobRequest, Plan};
use super::schedule::Schedule;

/// A job as it was set, and how far it is.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub generation: i64,
    pub name: String,
    pub schedule: Option<String>,
    pub due_time: Option<String>,
    pub repeats: Option<u32>,
    pub ttl: Option<String>,
    pub data: Option<String>,
    pub failure_policy: String,
    pub expires_at: Option<i64>,
    pub tick_at: i64,
    pub next_at: i64,
    pub fired: u32,
    pub attempts: u32,
}

const COLUMNS: &str = "generation, name, schedule, due_time, repeats, ttl, data, failure_policy, expires_at, tick_at, next_at, \
                       fired, attempts";

/// What became of setting a job.
pub(super) enum Written {
    /// It is set, in the place of another that may have been there.
    Set { generation: i64, replaced: Option<(i64, i64)> },
    /// There is one of that name, and it is not to be overwritten.
    Taken,
}

pub(super) fn set(
    sql: &Connection,
    name: &str,
    request: &JobRequest,
    plan: &Plan,
) -> rusqlite::Result<Written> {
    let replaced = if request.overwrite { delete(sql, name)? } else { None };
    let policy = request.failure_policy.clone().unwrap_or_default();
    let inserted = sql
        .prepare_cached(
            "INSERT INTO jobs (name, schedule, due_time, repeats, ttl, data, failure_policy, expires_at, tick_at, next_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) ON CONFLICT (name) DO NOTHING",
        )?
        .execute((
            name,
            &request.schedule,
            &request.due_time,
            request.repeats,
            &request.ttl,
            request.data.as_deref().map(serde_json::value::RawValue::get),
            serde_json::to_string(&policy).unwrap_or_default(),
            plan.expires_at,
            plan.first,
        ))?;
    Ok(match inserted {
        1 => Written::Set { generation: sql.last_insert_rowid(), replaced },
        _ => Written::Taken,
    })
}

/// Answers when the job would have been tried, and its generation.
pub(super) fn delete(sql: &Connection, name: &str) -> rusqlite::Result<Option<(i64, i64)>> {
    sql.prepare_cached("DELETE FROM jobs WHERE name = ?1 RETURNING next_at, generation")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

pub(super) fn by_name(sql: &Connection, name: &str) -> rusqlite::Result<Option<Job>> {
    sql.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE name = ?1"))?
        .query_row([name], job)
        .optional()
}

pub(super) fn by_generation(sql: &Connection, generation: i64) -> rusqlite::Result<Option<Job>> {
    sql.prepare_cached(&format!("SELECT {COLUMNS} FROM jobs WHERE generation = ?1"))?
        .query_row([generation], job)
        .optional()
}

/// When each job is to be tried.
pub(super) fn agenda(sql: &Connection) -> rusqlite::Result<Vec<(i64, i64)>> {
    sql.prepare("SELECT next_at, generation FROM jobs")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn job(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        generation: row.get(0)?,
        name: row.get(1)?,
        schedule: row.get(2)?,
        due_time: row.get(3)?,
        repeats: row.get(4)?,
        ttl: row.get(5)?,
        data: row.get(6)?,
        failure_policy: row.get(7)?,
        expires_at: row.get(8)?,
        tick_at: row.get(9)?,
        next_at: row.get(10)?,
        fired: row.get(11)?,
        attempts: row.get(12)?,
    })
}

/// Writes how far a job is; false when it was set anew or deleted meanwhile.
pub(super) fn update(sql: &Connection, job: &Job) -> rusqlite::Result<bool> {
    let updated = sql
        .prepare_cached(
            "UPDATE jobs SET tick_at = ?2, next_at = ?3, fired = ?4, attempts = ?5 WHERE generation = ?1",
        )?
        .execute((job.generation, job.tick_at, job.next_at, job.fired, job.attempts))?;
    Ok(updated == 1)
}

/// Forgets a job that is done, unless it was set anew meanwhile.
pub(super) fn finish(sql: &Connection, generation: i64) -> rusqlite::Result<()> {
    sql.prepare_cached("DELETE FROM jobs WHERE generation = ?1")?.execute([generation])?;
    Ok(())
}

impl Job {
    /// After an occurrence that is done or given up; false when it was the last.
    pub fn step(&mut self, now: i64) -> bool {
        self.fired = self.fired.saturating_add(1);
        self.attempts = 0;
        if self.repeats.is_some_and(|repeats| self.fired >= repeats) {
            return false;
        }
        let Some(schedule) = self.schedule.as_deref().and_then(|text| Schedule::job(text).ok()) else {
            return false;
        };
        let (Ok(tick), Ok(now)) =
            (Timestamp::from_millisecond(self.tick_at), Timestamp::from_millisecond(now))
        else {
            return false;
        };
        let Some(next) = schedule.next_from(tick, now) else { return false };
        self.tick_at = next.as_millisecond();
        self.next_at = self.tick_at;
        self.expires_at.is_none_or(|expires| self.tick_at <= expires)
    }

    /// After an attempt that failed; false when the occurrence is given up.
    pub fn again(&mut self, now: i64) -> bool {
        self.attempts = self.attempts.saturating_add(1);
        let policy: FailurePolicy = serde_json::from_str(&self.failure_policy).unwrap_or_default();
        match policy.wait(self.attempts) {
            Some(wait) => {
                self.next_at = now.saturating_add(wait);
                true
            }
            None => false,
        }
    }
}
