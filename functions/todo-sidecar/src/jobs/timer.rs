//! Doing jobs at their times: a timer on the earliest, no polling.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;

use super::api::{Jobs, body};
use super::table::{self, Job};
use crate::context::Context;
use crate::delivery::Courier;
use crate::observe::{JobData, Observation};
use crate::settings::segment;
use crate::store::{Store, StoreError};

/// Jobs under way at once.
const AT_ONCE: usize = 64;
/// The longest sleep: a clock that was set, or a machine that slept, is noticed within it.
const LONGEST: Duration = Duration::from_secs(30);
/// The wait for a function that cannot be connected to, in milliseconds.
const ABSENT: i64 = 1_000;

/// When each job is to be tried: milliseconds since 1970 and the job's generation. Its row is looked for before anything is done, so
/// a job that was deleted a moment ago may still stand here.
pub(crate) struct Agenda {
    due: Mutex<BTreeSet<(i64, i64)>>,
    changed: Notify,
}

impl Agenda {
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let due = store.read(table::agenda).await?;
        Ok(Self { due: Mutex::new(due.into_iter().collect()), changed: Notify::new() })
    }

    pub fn add(&self, at: i64, generation: i64) {
        self.lock().insert((at, generation));
        self.changed.notify_one();
    }

    pub fn remove(&self, job: Option<(i64, i64)>) {
        job.map(|job| self.lock().remove(&job));
    }

    /// The earliest job that is due, or the time until there is one.
    fn take(&self, now: i64) -> Result<i64, Option<Duration>> {
        let mut due = self.lock();
        match due.first().copied() {
            Some((at, generation)) if at <= now => {
                due.pop_first();
                Ok(generation)
            }
            Some((at, _)) => Err(Some(Duration::from_millis(u64::try_from(at - now).unwrap_or(0)))),
            None => Err(None),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<(i64, i64)>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Jobs set, and how late the earliest is by now.
pub(crate) async fn standing(store: &Store) -> Result<(u64, Duration), StoreError> {
    let (pending, earliest): (i64, Option<i64>) = store
        .read(|sql| {
            sql.query_row("SELECT count(*), min(next_at) FROM jobs", [], |row| Ok((row.get(0)?, row.get(1)?)))
        })
        .await?;
    let late = earliest.map_or(0, |earliest| now() - earliest);
    Ok((u64::try_from(pending).unwrap_or(0), Duration::from_millis(u64::try_from(late).unwrap_or(0))))
}

/// Does jobs until it is told to stop; those under way are `tasks`.
pub(crate) async fn run(jobs: Jobs, courier: Courier, tasks: TaskTracker) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let stop = jobs.context.stop.clone();
    loop {
        let wait = match jobs.agenda.take(now()) {
            Ok(generation) => {
                let place = tokio::select! {
                    place = places.clone().acquire_owned() => place,
                    () = stop.cancelled() => return,
                };
                let (jobs, courier) = (jobs.clone(), courier.clone());
                tasks.spawn(async move {
                    attempt(&jobs, &courier, generation).await;
                    drop(place);
                });
                continue;
            }
            Err(wait) => wait.unwrap_or(LONGEST).min(LONGEST),
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = jobs.agenda.changed.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

enum Outcome {
    Done,
    Failed,
    /// Nobody there: the occurrence waits.
    Absent,
}

async fn attempt(jobs: &Jobs, courier: &Courier, generation: i64) {
    let context = &jobs.context;
    let job = match context.store.read(move |sql| table::by_generation(sql, generation)).await {
        Ok(Some(job)) => job,
        Ok(None) => return,
        Err(error) => {
            tracing::error!("cannot read a job: {error}");
            return jobs.agenda.add(now() + ABSENT, generation);
        }
    };
    let outcome = call(context, courier, &job).await;
    match settle(context, job, outcome).await {
        Ok(Some(next_at)) => jobs.agenda.add(next_at, generation),
        Ok(None) => {}
        Err(error) => {
            // Not written: it is done again, which whoever does jobs must bear anyway.
            tracing::error!("cannot write how far a job is: {error}");
            jobs.agenda.add(now() + ABSENT, generation);
        }
    }
}

async fn call(context: &Context, courier: &Courier, job: &Job) -> Outcome {
    let Some(function) = &context.settings.job_function else { return Outcome::Absent };
    let late = Duration::from_millis(u64::try_from(now() - job.next_at).unwrap_or(0));
    let mut request = courier
        .client()
        .post(context.settings.url(function, &format!("/job/{}", segment(&job.name))))
        .header(http::header::CONTENT_TYPE, "application/json")
        .timeout(context.settings.call_timeout)
        .body(body(job));
    if let Some(token) = &context.settings.app_api_token {
        request = request.header("dapr-api-token", token);
    }
    let answer = request.send().await;
    let status = answer.as_ref().ok().map(|answer| answer.status());
    let told = status.map(|status| status.as_u16());
    let JobData { trace_id, .. } = JobData::read(job.data.as_deref().unwrap_or_default().as_bytes());
    let name = job.name.as_str().into();
    context.observers.tell(Observation::JobFired { name, status: told, late, trace_id });
    match (status, answer) {
        (Some(status), _) if status.is_success() => Outcome::Done,
        // Dapr takes it for delivered, and so the job is lost.
        (Some(StatusCode::NOT_FOUND), _) => {
            tracing::error!(job = job.name, "the function does not know this job; it is dropped");
            Outcome::Done
        }
        (None, Err(error)) if error.is_connect() => Outcome::Absent,
        _ => Outcome::Failed,
    }
}

/// Writes how far the job is; answers when it is to be tried next.
async fn settle(context: &Context, mut job: Job, outcome: Outcome) -> Result<Option<i64>, StoreError> {
    let now = now();
    let goes_on = match outcome {
        Outcome::Done => job.step(now),
        Outcome::Failed => job.again(now) || given_up(&mut job, now),
        Outcome::Absent => {
            job.next_at = now + ABSENT;
            true
        }
    };
    context
        .store
        .write(move |batch| -> Result<Option<i64>, StoreError> {
            if !goes_on {
                table::finish(batch.sql, job.generation)?;
                return Ok(None);
            }
            Ok(table::update(batch.sql, &job)?.then_some(job.next_at))
        })
        .await
}

fn given_up(job: &mut Job, now: i64) -> bool {
    tracing::error!(job = job.name, "given up after {} attempts", job.attempts);
    job.step(now)
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
