//! Recorded events, delivered again: per person in the order in which they were recorded, signed anew.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use todo_events::{SignError, sign};
use todo_identity::EventKey;
use todo_store::audit::Entry;
use todo_store::{Database, inbox};

use super::Replay;
use super::targets::{Target, targets};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::operator::{People, failed, open};
use crate::output;
use crate::running::Running;

/// Entries read at once.
const PAGE: usize = 100;

/// A day less than inboxes are kept, for the difference of clocks and the time a function took.
const KNOWN_FOR: jiff::SignedDuration =
    inbox::KEEP.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap();

/// What became of one person's events.
#[derive(Debug, Default)]
struct Replayed {
    /// How many each function took, or would be given.
    delivered: BTreeMap<String, u64>,
    /// So old that nobody knows whether they were handled.
    too_old: u64,
    /// Where it stopped, and why.
    stopped: Option<(i64, String)>,
}

struct Replayer<'a> {
    replay: &'a Replay,
    database: Database,
    targets: Vec<Target>,
    /// `None` for a dry run.
    means: Option<(Running, EventKey)>,
    oldest: Timestamp,
}

/// Runs the command. A person whose event is refused stops there and holds up nobody else.
pub(super) async fn run(replay: &Replay, to: &str, config: &Config) -> Outcome {
    let targets = targets(config, to)?;
    let means = match replay.dry_run {
        true => None,
        false => Some((Running::find(config)?, event_key(config)?)),
    };
    let oldest = Timestamp::now().saturating_sub(KNOWN_FOR).map_err(Failure::internal)?;
    let replayer = Replayer { replay, database: open(config).await?, targets, means, oldest };
    let mut people = People::meant(replay.user.as_deref());
    let mut stopped = 0_u64;
    while let Some(user) = people.next(&replayer.database).await? {
        let replayed = replayer.person(&user).await?;
        stopped += u64::from(replayed.stopped.is_some());
        replayer.tell(&user, &replayed);
    }
    match stopped {
        0 => Ok(()),
        _ => {
            Err(Failure::found(format!("{stopped} stopped before their last event; see above how to go on")))
        }
    }
}

/// The key that events are signed with now. Never a new one, which nobody would believe.
fn event_key(config: &Config) -> Outcome<EventKey> {
    let file = config.event_key_file();
    match &config.event_key {
        Some(pem) => {
            EventKey::from_pem(pem).map_err(|error| Failure::usage(format!("TODO_EVENT_KEY: {error}")))
        }
        None if file.exists() => EventKey::load_or_create(&file).map_err(Failure::unavailable),
        None => Err(Failure::usage(format!(
            "the key that signs events is needed: set TODO_EVENT_KEY, or name with --data the folder that has {}",
            file.file_name().unwrap_or_default().display()
        ))),
    }
}

impl Replayer<'_> {
    async fn person(&self, user: &str) -> Outcome<Replayed> {
        let mut replayed = Replayed::default();
        let mut after = self.replay.first.map_or(0, |first| first.saturating_sub(1));
        let last = self.replay.last.unwrap_or(i64::MAX);
        loop {
            let mut operator = self.database.begin_operator().await.map_err(failed)?;
            let page = operator.audit_entries(user, after, PAGE).await.map_err(failed)?;
            drop(operator);
            let Some(end) = page.last() else { return Ok(replayed) };
            after = end.entry;
            for entry in page.iter().take_while(|entry| entry.entry <= last) {
                self.entry(entry, &mut replayed).await?;
                if replayed.stopped.is_some() {
                    return Ok(replayed);
                }
            }
            if after >= last {
                return Ok(replayed);
            }
            if self.means.is_some() {
                eprintln!("{user}: up to entry {after}");
            }
        }
    }

    async fn entry(&self, entry: &Entry, replayed: &mut Replayed) -> Outcome {
        let targets: Vec<_> = self.targets.iter().filter(|target| target.reads(&entry.topic)).collect();
        if !self.wants(entry) || targets.is_empty() {
            return Ok(());
        }
        if entry.occurred_at < self.oldest.as_millisecond() && !self.replay.again {
            replayed.too_old += 1;
            return Ok(());
        }
        let event = match self.signed(entry) {
            Ok(event) => event,
            Err(error) => {
                replayed.stopped = Some((entry.entry, error.to_string()));
                return Ok(());
            }
        };
        for target in targets {
            if let Err(why) = self.deliver(entry, target, &event).await? {
                replayed.stopped = Some((entry.entry, why));
                return Ok(());
            }
            *replayed.delivered.entry(target.function.clone()).or_default() += 1;
        }
        Ok(())
    }

    fn wants(&self, entry: &Entry) -> bool {
        let Replay { event_type, from, until, .. } = self.replay;
        event_type.as_ref().is_none_or(|wanted| *wanted == entry.event_type)
            && from.is_none_or(|from| entry.occurred_at >= from.as_millisecond())
            && until.is_none_or(|until| entry.occurred_at < until.as_millisecond())
    }

    fn signed(&self, entry: &Entry) -> Result<Vec<u8>, SignError> {
        self.means.as_ref().map_or_else(|| Ok(Vec::new()), |(_, key)| sign(&entry.body, key))
    }

    /// The inner error is the event's, the outer one everybody's.
    async fn deliver(&self, entry: &Entry, target: &Target, event: &[u8]) -> Outcome<Result<(), String>> {
        let Some((running, _)) = &self.means else { return Ok(Ok(())) };
        if self.replay.again {
            let mut repair = self.database.begin_repair().await.map_err(failed)?;
            repair.forget_received(&target.function, &entry.event_id).await.map_err(failed)?;
            repair.commit().await.map_err(failed)?;
        }
        match running.deliver(&target.function, &target.path, event).await {
            Ok(()) => Ok(Ok(())),
            Err(refusal) if refusal.fatal => Err(Failure::unavailable(refusal.why)),
            Err(refusal) => Ok(Err(refusal.why)),
        }
    }

    fn tell(&self, user: &str, replayed: &Replayed) {
        let Replayed { delivered, too_old, stopped } = replayed;
        let (at, why) = stopped.as_ref().map_or((None, None), |(at, why)| (Some(at), Some(why)));
        if *too_old > 0 {
            eprintln!(
                "{user}: {too_old} are so old that nobody knows whether they were handled; --again delivers them all the same"
            );
        }
        if let (Some(at), Some(why)) = (at, why) {
            eprintln!("{user}: stopped at entry {at}: {why}; go on with --user {user} --first {at}");
        }
        if self.replay.json {
            let dry_run = self.replay.dry_run;
            output::line(
                json!({"user": user, "dry_run": dry_run, "delivered": delivered, "too_old": too_old,
                "stopped_at": at, "why": why}),
            );
        } else if !delivered.is_empty() {
            let counts = delivered.iter().map(|(function, count)| format!("{count} to {function}"));
            let counts = counts.collect::<Vec<_>>().join(", ");
            output::line(format_args!(
                "{user}: {}{counts}",
                if self.replay.dry_run { "would go: " } else { "" }
            ));
        }
    }
}
