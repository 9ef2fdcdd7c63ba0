//! A turn in ChatKit's events.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};
use todo_agent::{Item, ToolCall, ToolOutcome};

use super::{items, threads};
use crate::error::Problem;
use crate::turn::{Begun, Ended, Event, answer_key};

/// Holds what is open while a turn is translated: at most one answer or one workflow.
#[derive(Default)]
pub(super) struct Translator {
    thread: String,
    turn_id: String,
    answers: usize,
    open: Open,
    /// The keys of items that were said to be done.
    done: BTreeSet<String>,
}

#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Answer {
        key: String,
        at: String,
        text: String,
    },
    Workflow {
        key: String,
        at: String,
        calls: Vec<(ToolCall, Option<ToolOutcome>)>,
    },
}

impl Translator {
    /// The events that tell of one event of the turn.
    pub fn translate(&mut self, event: Event) -> Vec<Value> {
        match event {
            Event::Begun(begun) => self.begun(begun),
            Event::Delta(words) => self.delta(&words),
            Event::Calling(call) => self.calling(call),
            Event::Called(call, outcome) => self.called(&call, outcome),
            Event::Ended(ended) => self.ended(&ended),
            Event::Failed(problem) => self.failed(&problem),
        }
    }

    fn begun(&mut self, begun: Begun) -> Vec<Value> {
        let id = begun.conversation.conversation_id;
        self.thread = id.to_string();
        self.turn_id = begun.turn_id;
        self.answers = begun.first_answer;
        let created = begun.created.then(|| {
            json!({ "type": "thread.created", "thread": threads::thread(&begun.conversation, items::empty_page()) })
        });
        let message = begun.message.map(|entry| done(items::message(id, &entry)));
        // A turn goes on when nobody listens, so there is nothing to cancel.
        let options = json!({ "type": "stream_options", "stream_options": { "allow_cancel": false } });
        created.into_iter().chain(message).chain([options]).collect()
    }

    fn delta(&mut self, words: &str) -> Vec<Value> {
        let mut events = Vec::new();
        if !matches!(self.open, Open::Answer { .. }) {
            events.extend(self.close());
            let (key, at) = (answer_key(&self.turn_id, self.answers), Timestamp::now().to_string());
            self.answers += 1;
            events.push(added(items::answer(&key, &self.thread, &at, &[])));
            events.push(updated(&key, part("added", &items::content(""))));
            self.open = Open::Answer { key, at, text: String::new() };
        }
        if let Open::Answer { key, text, .. } = &mut self.open {
            text.push_str(words);
            let delta = json!({
                "type": "assistant_message.content_part.text_delta", "content_index": 0, "delta": words,
            });
            events.push(updated(key, delta));
        }
        events
    }

    fn calling(&mut self, call: ToolCall) -> Vec<Value> {
        let mut events = Vec::new();
        if !matches!(self.open, Open::Workflow { .. }) {
            events.extend(self.close());
            let (key, at) = (call.id.clone(), Timestamp::now().to_string());
            events.push(added(items::workflow(&key, &self.thread, &at, &[])));
            self.open = Open::Workflow { key, at, calls: Vec::new() };
        }
        if let Open::Workflow { key, calls, .. } = &mut self.open {
            let task = items::task(&call, None);
            let update = json!({ "type": "workflow.task.added", "task_index": calls.len(), "task": task });
            events.push(updated(key, update));
            calls.push((call, None));
        }
        events
    }

    fn called(&mut self, call: &ToolCall, outcome: ToolOutcome) -> Vec<Value> {
        let Open::Workflow { key, calls, .. } = &mut self.open else { return Vec::new() };
        let Some((index, (_, result))) =
            calls.iter_mut().enumerate().find(|(_, (made, _))| made.id == call.id)
        else {
            return Vec::new();
        };
        let task = items::task(call, Some((&outcome.value, outcome.is_error)));
        *result = Some(outcome);
        vec![updated(key, json!({ "type": "workflow.task.updated", "task_index": index, "task": task }))]
    }

    /// What was stored is what counts: an answer that was overruled after it streamed is replaced here.
    fn ended(&mut self, ended: &Ended) -> Vec<Value> {
        let mut events = Vec::new();
        let unfinished = match &self.open {
            Open::Answer { key, .. } => Some(key.clone()),
            _ => None,
        };
        if unfinished.is_none() {
            events.extend(self.close());
        }
        let answers = ended.entries.iter().filter(|entry| matches!(entry.item, Item::Assistant { .. }));
        for entry in answers.filter(|entry| !self.done.contains(&entry.key)) {
            let Item::Assistant { text } = &entry.item else { continue };
            if unfinished.as_ref() != Some(&entry.key) {
                let at = entry.created_at.to_string();
                events.push(added(items::answer(&entry.key, &self.thread, &at, &[])));
                events.push(updated(&entry.key, part("added", &items::content(""))));
            }
            events.push(updated(&entry.key, part("done", &items::content(text))));
            events.push(done(items::message(ended.conversation_id, entry)));
        }
        events
    }

    fn failed(&mut self, problem: &Problem) -> Vec<Value> {
        problem.report();
        let mut events = self.close();
        events.push(error(&problem.message, problem.is_transient()));
        events
    }

    /// Says that what is open is done.
    fn close(&mut self) -> Vec<Value> {
        let thread = &self.thread;
        match std::mem::take(&mut self.open) {
            Open::Nothing => Vec::new(),
            Open::Answer { key, at, text } => {
                let content = items::content(text.trim());
                let item = items::answer(&key, thread, &at, std::slice::from_ref(&content));
                let events = vec![updated(&key, part("done", &content)), done(item)];
                self.done.insert(key);
                events
            }
            Open::Workflow { key, at, calls } => {
                let shown = |(call, outcome): &(ToolCall, Option<ToolOutcome>)| {
                    items::task(call, outcome.as_ref().map(|outcome| (&outcome.value, outcome.is_error)))
                };
                let tasks: Vec<Value> = calls.iter().map(shown).collect();
                vec![done(items::workflow(&key, thread, &at, &tasks))]
            }
        }
    }
}

/// An error that the client shows in the thread.
pub(super) fn error(message: &str, allow_retry: bool) -> Value {
    json!({ "type": "error", "code": "custom", "message": message, "allow_retry": allow_retry })
}

fn added(item: Value) -> Value {
    json!({ "type": "thread.item.added", "item": item })
}

fn done(item: Value) -> Value {
    json!({ "type": "thread.item.done", "item": item })
}

fn updated(key: &str, update: Value) -> Value {
    json!({ "type": "thread.item.updated", "item_id": key, "update": update })
}

fn part(what: &str, content: &Value) -> Value {
    json!({
        "type": format!("assistant_message.content_part.{what}"), "content_index": 0, "content": content,
    })
}
