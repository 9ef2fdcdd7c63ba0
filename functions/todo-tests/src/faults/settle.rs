//! Waiting until nothing is on its way any more, and the check.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::check::{Verdict, check};
use crate::evidence::{gather, number};
use crate::history::History;
use crate::stage::Stage;

/// After a kill a person's events may wait for half a minute until another publisher may send them, and for the relay; an event whose
/// consumer was away is tried again after up to as much. What has not come nearer for longer than this is lost.
pub const PATIENCE: Duration = Duration::from_secs(240);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two words about it.
const SAY: Duration = Duration::from_secs(5);

/// What must be zero, in a word and as a statement that both databases understand. `$now` is the time in milliseconds.
const WAITING: [(&str, &str); 6] = [
    ("unpublished", "SELECT COUNT(*) FROM outbox WHERE sent_at IS NULL AND problem IS NULL"),
    (
        "unrecorded",
        "SELECT CAST(COALESCE((SELECT SUM(last_event) FROM users), 0) - (SELECT COUNT(*) FROM audit) AS BIGINT)",
    ),
    (
        "not pushed",
        "SELECT COUNT(*) FROM outbox WHERE topic = 'task-updates' AND NOT EXISTS (SELECT 1 FROM inbox \
         WHERE inbox.event_id = outbox.event_id AND consumer = 'event-push-update')",
    ),
    (
        "not repeated",
        "SELECT COUNT(*) FROM outbox WHERE topic = 'task-events' AND event_type = 'task.completed' AND NOT EXISTS \
         (SELECT 1 FROM inbox WHERE inbox.event_id = outbox.event_id AND consumer = 'event-repeat-task')",
    ),
    (
        "to schedule or to cancel",
        "SELECT COUNT(*) FROM scheduled_reminders WHERE cancelled_at IS NOT NULL OR scheduled_at IS NULL AND fired_at IS NULL",
    ),
    (
        "not fired",
        "SELECT COUNT(*) FROM scheduled_reminders WHERE fired_at IS NULL AND cancelled_at IS NULL AND remind_at < $now",
    ),
];

/// The end.
pub struct Settled {
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

/// Waits until nothing is on its way and everything holds, or until nothing has come nearer to that for too long.
pub async fn settle(stage: &mut Stage, history: &History, patience: Duration) -> anyhow::Result<Settled> {
    let begun = Instant::now();
    let mut said = Instant::now();
    let mut before = None;
    let (mut least, mut progressed) = (i64::MAX, begun);
    loop {
        stage.keep_up().await?;
        let waiting = waiting(stage, history).await?;
        let still: Vec<_> = waiting.iter().filter(|(_, count)| *count != 0).collect();
        let left = waiting.iter().map(|(_, count)| count).sum();
        if left < least {
            (least, progressed) = (left, Instant::now());
        }
        let patient = progressed.elapsed() < patience;
        if said.elapsed() > SAY && !still.is_empty() {
            said = Instant::now();
            eprintln!(
                "waiting: {}",
                still.iter().map(|(what, count)| format!("{count} {what}")).collect::<Vec<_>>().join(", ")
            );
        }
        // Twice the same: something that came late and twice would show.
        if (still.is_empty() && before.as_ref() == Some(&waiting)) || !patient {
            let verdict = check(history, &gather(stage, history).await?);
            if verdict.violations.is_empty() || !patient {
                return Ok(Settled { verdict, took: begun.elapsed() });
            }
            if said.elapsed() > SAY {
                said = Instant::now();
                eprintln!(
                    "waiting: {} things do not hold yet, such as {:?}",
                    verdict.violations.len(),
                    verdict.violations.first()
                );
            }
        }
        before = Some(waiting);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn waiting(stage: &Stage, history: &History) -> anyhow::Result<Vec<(&'static str, i64)>> {
    let database = stage.database().await?;
    let now = Timestamp::now();
    let mut waiting =
        vec![("seconds to the last reminder", (history.last_reminder() - now.as_second()).max(0))];
    for (what, statement) in WAITING {
        let statement = statement.replace("$now", &now.as_millisecond().to_string());
        waiting.push((what, number(&database, &statement).await?));
    }
    Ok(waiting)
}
