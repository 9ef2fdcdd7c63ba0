//! The offline model: an adapter over `todo-language`.

use futures::future::{BoxFuture, FutureExt};
use todo_language::{Answer, Call, Consent, Context, Conversation, Entry, answer, consent, read};

use crate::approval;
use crate::item::for_model;
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
        async move {
            let answer = translated(next_move(request).await?);
            if !answer.text.is_empty() {
                on_delta(&answer.text);
            }
            Ok(answer)
        }
        .boxed()
    }
}

async fn next_move(request: &ModelRequest) -> Result<Answer, ModelError> {
    if just_declined(&request.items) {
        return Ok(Answer::Say(LEFT_ALONE.to_owned()));
    }
    if request_is_gone(&request.items, &request.now) {
        // No words: the run then reports what was done.
        return Ok(Answer::Say(String::new()));
    }
    let conversation = conversation(request);
    // Reading a long message is work for the processor, which must not keep other people's turns waiting.
    let reading = tokio::task::spawn_blocking(move || answer(&conversation));
    let lost = |_| ModelError::Garbled { reason: "the offline model broke down".to_owned() };
    reading.await.map_err(lost)
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

/// The entries as `todo-language` reads them: it plays a turn again from its message, so calls that the person agreed to
/// stand in the turn that asked for them, and the question and the "yes" in between are left out.
fn conversation(request: &ModelRequest) -> Conversation {
    let items = &request.items;
    let left_out = |at: usize| agreed_at(items, at) || at > 0 && agreed_at(items, at - 1);
    let kept = (0..).zip(items).filter(|(at, _)| !left_out(*at));
    Conversation { now: request.now.clone(), entries: kept.map(|(_, item)| entry(item.clone())).collect() }
}

/// Is there a question here, a yes behind it, and behind that the calls?
fn agreed_at(items: &[Item], at: usize) -> bool {
    match items.get(at..) {
        Some([Item::Assistant { text }, Item::User { text: answer }, Item::ToolCall(_), ..]) => {
            approval::is_question(text) && consent(answer) == Some(Consent::Yes)
        }
        _ => false,
    }
}

/// Were calls agreed to whose request is so far back that it is not sent any more? A deletion without a question before
/// it comes from a message that asks for one, and a mere yes does not.
fn request_is_gone(items: &[Item], now: &jiff::Zoned) -> bool {
    match items {
        [Item::User { text }, Item::ToolCall(_), rest @ ..] => {
            consent(text) == Some(Consent::Yes)
                && read(text, now, &Context::default()).actions.is_empty()
                && !rest.iter().any(|item| matches!(item, Item::User { .. }))
        }
        _ => false,
    }
}

fn entry(item: Item) -> Entry {
    match item {
        Item::User { text } => Entry::Person(text),
        Item::Assistant { text } => Entry::Assistant(text),
        Item::ToolCall(ToolCall { id, name, arguments }) => Entry::ToolCall { id, name, arguments },
        Item::ToolResult { id, value, is_error, next_cursor } => {
            Entry::ToolResult { id, value: for_model(&value, next_cursor.as_deref()), is_error }
        }
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
