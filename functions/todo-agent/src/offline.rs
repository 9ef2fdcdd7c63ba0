//! The offline model: an adapter over `todo-language`.

use futures::future::{BoxFuture, FutureExt, ready};
use todo_language::{Answer, Call, Conversation, Entry, answer};

use crate::{Item, Model, ModelAnswer, ModelError, ModelRequest, RequestedCall, ToolCall, Usage};

/// No network, no key, the same answer every time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Offline;

const LEFT_ALONE: &str = "All right, I have left everything as it is.";

impl Model for Offline {
    fn name(&self) -> &str {
        "offline"
    }

    fn answer<'a>(
        &'a self,
        request: &'a ModelRequest,
        on_delta: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<ModelAnswer, ModelError>> {
        let answer = if just_declined(&request.items) {
            Answer::Say(LEFT_ALONE.to_owned())
        } else {
            answer(&conversation(request))
        };
        let answer = translated(answer);
        if !answer.text.is_empty() {
            on_delta(&answer.text);
        }
        ready(Ok(answer)).boxed()
    }
}

/// The person has just said no, and nothing else has happened since: there is nothing to read.
fn just_declined(items: &[Item]) -> bool {
    let since = items.iter().rev();
    let mut results = since.take_while(|item| matches!(item, Item::ToolResult { .. })).peekable();
    results.peek().is_some()
        && results.all(|item| match item {
            Item::ToolResult { value, .. } => value.get("declined").is_some_and(|told| told == true),
            _ => false,
        })
}

fn conversation(request: &ModelRequest) -> Conversation {
    Conversation { now: request.now.clone(), entries: request.items.iter().cloned().map(entry).collect() }
}

fn entry(item: Item) -> Entry {
    match item {
        Item::User { text } => Entry::Person(text),
        Item::Assistant { text } => Entry::Assistant(text),
        Item::ToolCall(ToolCall { id, name, arguments }) => Entry::ToolCall { id, name, arguments },
        Item::ToolResult { id, value, is_error } => Entry::ToolResult { id, value, is_error },
    }
}

fn translated(answer: Answer) -> ModelAnswer {
    match answer {
        Answer::Say(text) => ModelAnswer { text, ..ModelAnswer::default() },
        Answer::Call(calls) => ModelAnswer {
            text: String::new(),
            calls: calls.into_iter().map(requested).collect(),
            usage: Usage::default(),
        },
    }
}

fn requested(call: Call) -> RequestedCall {
    RequestedCall { name: call.name.to_owned(), arguments: call.arguments.to_string() }
}
