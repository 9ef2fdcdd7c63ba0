//! What a turn begins with: a new message, or one whose turn was cut short or is to be taken again.

use std::collections::BTreeSet;

use jiff::Zoned;
use todo_agent::{Approval, Item};
use uuid::Uuid;

use super::Words;
use super::sessions::{Keyed, Loaded, OpenTurn, State, keys};
use crate::error::Problem;

pub(super) struct Opening {
    pub turn_id: String,
    /// The message stands in the conversation already.
    pub is_resumed: bool,
    /// The keys of what an earlier attempt at the turn has written after the message.
    written: BTreeSet<String>,
    message: String,
    history: Vec<Item>,
    /// What the turn before left to be decided, as stored.
    approval: Option<serde_json::Value>,
    /// A turn that was cut short and is not gone on with.
    abandoned: Option<OpenTurn>,
}

impl Opening {
    pub fn of(loaded: Loaded, words: &Words) -> Result<Self, Problem> {
        let last_message = loaded.entries.iter().rposition(|entry| matches!(entry.item, Item::User { .. }));
        let State { approval, turn: open } = loaded.state;
        let items = loaded.entries.iter().map(|entry| entry.item.clone());
        let last = last_message.and_then(|at| loaded.entries.get(at).map(|entry| (at, entry)));
        let again = last.filter(|(_, entry)| match (words, &entry.item) {
            (Words::Again(key), _) => *key == entry.key,
            (Words::New(message), Item::User { text }) => {
                open.as_ref().is_some_and(|open| keys::message(&open.id) == entry.key)
                    && text.trim() == message.trim()
            }
            _ => false,
        });
        match (again, words) {
            (Some((at, entry)), _) => Ok(Self {
                turn_id: keys::turn_of(&entry.key).to_owned(),
                is_resumed: true,
                written: loaded.entries.iter().skip(at + 1).map(|entry| entry.key.clone()).collect(),
                message: words_of(&entry.item),
                history: items.take(at).collect(),
                approval: open.and_then(|open| open.approval),
                abandoned: None,
            }),
            (None, Words::New(message)) => Ok(Self {
                turn_id: Uuid::now_v7().simple().to_string(),
                is_resumed: false,
                written: BTreeSet::new(),
                message: message.clone(),
                history: items
                    .chain(open.iter().flat_map(|open| open.calls.iter().cloned().map(Item::ToolCall)))
                    .collect(),
                approval,
                abandoned: open,
            }),
            (None, Words::Again(_)) => Err(Problem::invalid(
                "Only the last message can be tried again; send an older one as a new message.",
            )),
        }
    }

    pub fn turn(&self, now: Zoned) -> todo_agent::Turn {
        todo_agent::Turn {
            id: self.turn_id.clone(),
            now,
            history: self.history.clone(),
            approval: self.approval.clone().and_then(Approval::restore),
            message: self.message.clone(),
        }
    }

    /// What is noted while the turn is under way.
    pub fn state(&self) -> State {
        let open = OpenTurn { id: self.turn_id.clone(), approval: self.approval.clone(), calls: Vec::new() };
        State { approval: None, turn: Some(open) }
    }

    /// The number of the turn's first answer: after those of an earlier attempt.
    pub fn first_answer(&self) -> usize {
        let stands = |number: &usize| self.written.contains(&keys::answer(&self.turn_id, *number));
        (0..).take_while(stands).count()
    }

    /// Leaves out what an earlier attempt has written: a call that was made then, and answered now as it was then.
    pub fn not_yet_written(&self, items: Vec<Keyed>) -> Vec<Keyed> {
        items.into_iter().filter(|keyed| !self.written.contains(&keyed.key)).collect()
    }

    /// The changes of an abandoned turn. Whether they were made is not known, and the agent reads them so.
    pub fn lost(&self) -> Vec<Keyed> {
        let calls = self.abandoned.iter().flat_map(|open| &open.calls);
        calls.map(|call| Keyed { key: call.id.clone(), item: Item::ToolCall(call.clone()) }).collect()
    }
}

fn words_of(item: &Item) -> String {
    match item {
        Item::User { text } => text.clone(),
        _ => String::new(),
    }
}
