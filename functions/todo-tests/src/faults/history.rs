//! What people did and what they were told, call by call.

use serde_json::Value;

use crate::latency::Sample;

/// What somebody asked for. Titles and descriptions carry a `token` that no other call has, so that each change can be found again.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    Add(Added),
    /// Gives title and description this token.
    Rename {
        task: i64,
        token: String,
    },
    /// The one reminder is at that second.
    Move {
        task: i64,
        remind_at: i64,
    },
    Complete {
        task: i64,
    },
    Reopen {
        task: i64,
    },
    Delete {
        task: i64,
    },
}

/// A task as it was asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Added {
    pub token: String,
    /// It repeats; the tag that its successors inherit.
    pub series: Option<String>,
    /// When to remind, in seconds since 1970.
    pub remind_at: Option<i64>,
}

/// How a call ended for whoever made it.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was said to be done.
    Acknowledged(Value),
    /// It was said to be wrong.
    Refused(String),
    /// There was no answer, and the caller gave up: it was done whole or not at all.
    Abandoned,
    /// There was no answer however often the call was sent. That is a failure by itself.
    Silence(String),
}

/// A call with its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub deed: Deed,
    pub outcome: Outcome,
}

impl Call {
    /// The number of the task that was added, as it was acknowledged.
    pub fn added(&self) -> Option<i64> {
        match &self.outcome {
            Outcome::Acknowledged(result) => result.get("task_id").and_then(Value::as_i64),
            _ => None,
        }
    }
}

/// One person's calls in their order: each was made after the one before had ended.
#[derive(Clone, Debug, Default)]
pub struct Person {
    pub name: String,
    pub calls: Vec<Call>,
    /// Of every call, also of those that only read.
    pub samples: Vec<Sample>,
    /// How often a call was sent again.
    pub repeated: u64,
}

/// Everybody's.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub people: Vec<Person>,
}

impl History {
    /// The last moment anybody asked to be reminded of, in seconds since 1970.
    pub fn last_reminder(&self) -> i64 {
        let calls = self.people.iter().flat_map(|person| &person.calls);
        let moments = calls.filter_map(|call| match &call.deed {
            Deed::Add(added) => added.remind_at,
            Deed::Move { remind_at, .. } => Some(*remind_at),
            _ => None,
        });
        moments.max().unwrap_or(0)
    }

    /// How many calls ended so.
    pub fn count(&self, ended: impl Fn(&Outcome) -> bool) -> usize {
        self.people.iter().flat_map(|person| &person.calls).filter(|call| ended(&call.outcome)).count()
    }
}
