//! The tasks rebuilt from the audit, and how they differ from the live ones: by number and field, never by a person's words.

use jiff::Timestamp;
use serde_json::json;
use todo_store::rebuild::{Difference, Kind, Rebuilt, rebuild};

use super::Replay;
use crate::audit::verdict;
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::operator::{People, failed, open};
use crate::output;

/// Runs the command.
pub(super) async fn run(replay: &Replay, config: &Config) -> Outcome {
    let database = open(config).await?;
    let as_of = replay.as_of.unwrap_or(Timestamp::MAX);
    let mut people = People::meant(replay.user.as_deref());
    let (mut rebuilt_of, mut different) = (0_u64, 0_u64);
    while let Some(user) = people.next(&database).await? {
        let rebuilt = rebuild(&database, &user, as_of).await.map_err(failed)?;
        rebuilt_of += 1;
        different += u64::from(!rebuilt.is_same());
        eprintln!("{user}: {} entries read", rebuilt.entries);
        match replay.json {
            true => output::line(json!({"same": rebuilt.is_same(), "rebuilt": rebuilt})),
            false => output::line(words(&rebuilt)),
        }
    }
    match different {
        0 => Ok(()),
        _ => Err(Failure::found(format!("{different} of {rebuilt_of} differ from what the audit says"))),
    }
}

fn words(rebuilt: &Rebuilt) -> String {
    let Rebuilt { user_id, same, older, differing, differences, unreadable, unrecorded, chain, .. } = rebuilt;
    let mut lines = vec![format!("{user_id}: {same} tasks are the same, {differing} differ")];
    lines.extend(differences.iter().map(difference));
    if differences.len() < usize::try_from(*differing).unwrap_or(usize::MAX) {
        lines.push("  …".to_owned());
    }
    lines.extend(unreadable.iter().map(|entry| format!("  entry {entry} cannot be read")));
    if *older > 0 {
        lines.push(format!("  {older} are older than the audit, which says nothing of them"));
    }
    if *unrecorded > 0 {
        lines.push(format!(
            "  {unrecorded} events are not recorded yet; what they tell may show as a difference"
        ));
    }
    if !chain.is_whole() {
        lines.push(format!("  the audit itself: {}", verdict(user_id, chain)));
    }
    lines.join("\n")
}

fn difference(difference: &Difference) -> String {
    let Difference { task_id, kind, fields } = difference;
    match kind {
        Kind::Missing => format!("  task {task_id} is missing"),
        Kind::Extra => format!("  task {task_id} is not in the audit"),
        Kind::Differs => format!("  task {task_id} differs in {}", fields.join(", ")),
    }
}
