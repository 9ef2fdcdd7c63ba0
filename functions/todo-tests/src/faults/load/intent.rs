//! What a person does next: anything that their list allows, with a preference for what has consequences.

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::history::{Added, Call, Deed, Outcome};

/// Reminders are so many seconds ahead.
const AHEAD: std::ops::Range<i64> = 3..12;
/// More tasks than this, and people rather finish some.
const MANY: usize = 25;

/// What a person believes to have.
#[derive(Default)]
pub struct Intent {
    tasks: Vec<Known>,
    /// What comes next in any case: somebody who reopened what they had just done does it again.
    planned: Vec<Deed>,
    series: u64,
}

#[derive(Clone, PartialEq)]
struct Known {
    id: i64,
    kind: Kind,
    completed: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    Repeating,
    /// Is never touched: its reminder must come.
    Reminding,
    /// Only its reminder is moved.
    Moving,
}

impl Intent {
    pub fn next(&mut self, rng: &mut Rng, token: String) -> Deed {
        if let Some(deed) = self.planned.pop() {
            return deed;
        }
        let index = rng.usize(..self.tasks.len().max(1));
        let Some(known) = self.tasks.get(index).cloned() else { return self.add(rng, token) };
        let task = known.id;
        match (known.kind, rng.u32(..100)) {
            (_, 0..30) if self.tasks.len() < MANY => self.add(rng, token),
            (Kind::Reminding, _) => self.add(rng, token),
            (Kind::Moving, _) => Deed::Move { task, remind_at: soon(rng) },
            (_, 0..55) => Deed::Rename { task, token },
            (Kind::Plain, 55..65) if known.completed => Deed::Reopen { task },
            (Kind::Repeating, 55..65) if !known.completed => {
                self.planned = vec![Deed::Complete { task }, Deed::Reopen { task }];
                Deed::Complete { task }
            }
            (_, 55..85) if !known.completed => Deed::Complete { task },
            _ => Deed::Delete { task },
        }
    }

    fn add(&mut self, rng: &mut Rng, token: String) -> Deed {
        let mut added = Added { token, ..Added::default() };
        match rng.u32(..100) {
            0..40 => {}
            40..70 => {
                self.series += 1;
                added.series = Some(format!("series-{}", self.series));
            }
            _ => added.remind_at = Some(soon(rng)),
        }
        Deed::Add(added)
    }

    /// Takes notice of how a call ended. Of what is not known, as little as possible is believed.
    pub fn learn(&mut self, call: &Call) {
        let done = matches!(call.outcome, Outcome::Acknowledged(_));
        if !done {
            self.planned.clear();
        }
        let known = |task: &i64| self.tasks.iter().position(|known| known.id == *task);
        match &call.deed {
            Deed::Add(added) => {
                let kind = match (&added.series, added.remind_at) {
                    (Some(_), _) => Kind::Repeating,
                    // Half of them are left alone.
                    (None, Some(at)) if at % 2 == 0 => Kind::Reminding,
                    (None, Some(_)) => Kind::Moving,
                    (None, None) => Kind::Plain,
                };
                self.tasks.extend(call.added().map(|id| Known { id, kind, completed: false }));
            }
            Deed::Rename { .. } | Deed::Move { .. } => {}
            Deed::Complete { task } | Deed::Reopen { task } if done => {
                let completed = matches!(call.deed, Deed::Complete { .. });
                if let Some(known) = known(task).and_then(|index| self.tasks.get_mut(index)) {
                    known.completed = completed;
                }
            }
            Deed::Complete { task } | Deed::Reopen { task } | Deed::Delete { task } => {
                known(task).map(|index| self.tasks.swap_remove(index));
            }
        }
    }

    /// The pending tasks as the list has them: the repeating ones among them that are new were made by the system.
    pub fn see(&mut self, tasks: &[Value]) {
        if !self.planned.is_empty() {
            return;
        }
        for task in tasks.iter().filter(|task| task.get("repeat").is_some()) {
            let id = task.get("id").and_then(Value::as_i64).unwrap_or(0);
            if !self.tasks.iter().any(|known| known.id == id) {
                self.tasks.push(Known { id, kind: Kind::Repeating, completed: false });
            }
        }
    }
}

fn soon(rng: &mut Rng) -> i64 {
    Timestamp::now().as_second().saturating_add(rng.i64(AHEAD))
}

/// The tool and its arguments.
pub fn call(deed: &Deed) -> (&'static str, Value) {
    match deed {
        Deed::Add(added) => ("add_task", add(added)),
        Deed::Rename { task, token } => (
            "update_task",
            json!({"task_id": task, "title": title(token), "description": description(token)}),
        ),
        Deed::Move { task, remind_at } => {
            ("update_task", json!({"task_id": task, "remind": [instant(*remind_at)]}))
        }
        Deed::Complete { task } => ("complete_task", json!({"task_id": task})),
        Deed::Reopen { task } => ("update_task", json!({"task_id": task, "completed": false})),
        Deed::Delete { task } => ("delete_task", json!({"task_id": task})),
    }
}

fn add(added: &Added) -> Value {
    let mut arguments = json!({"title": title(&added.token), "description": description(&added.token)});
    let now = Timestamp::now();
    if let Some(series) = &added.series {
        arguments["due"] =
            json!(instant(now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now).as_second()));
        arguments["repeat"] = json!("FREQ=DAILY;INTERVAL=2");
        // Only here nothing but the lock on the completed task keeps a second successor from being made.
        arguments["repeat_from"] =
            json!(if series.ends_with(['1', '3', '5', '7', '9']) { "completion" } else { "due" });
        arguments["tags"] = json!([series]);
    }
    match added.remind_at {
        Some(at) if at % 4 < 2 => arguments["remind"] = json!([instant(at)]),
        Some(at) => {
            arguments["due"] = json!(instant(at.saturating_add(1_800)));
            arguments["remind"] = json!(["-PT30M"]);
        }
        None => {}
    }
    arguments
}

fn instant(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX).to_string()
}

/// The title that carries a token.
pub fn title(token: &str) -> String {
    format!("Do {token}")
}

/// The description that carries it.
pub fn description(token: &str) -> String {
    format!("About {token}")
}
