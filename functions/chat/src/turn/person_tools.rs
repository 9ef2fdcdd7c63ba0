use std::sync::PoisonError;

use futures::future::{BoxFuture, FutureExt};
use serde_json::Map;
use todo_agent::{ToolCall, ToolOutcome};
use todo_mcp::CallError;
use tokio::sync::Mutex;

use super::sessions::{OpenTurn, State};
use super::taking::Turn;
use crate::error::with_sources;

/// The tools as one person's turn calls them. A change is noted in the conversation before it is made, so that whoever
/// comes after a crash knows that it may have been.
pub(super) struct PersonTools<'a> {
    turn: &'a Turn<'a>,
    conversation_id: i64,
    traceparent: String,
    /// Held while writing: two notes at once must not overwrite each other.
    noting: Mutex<()>,
    state: std::sync::Mutex<State>,
}

impl<'a> PersonTools<'a> {
    pub fn new(turn: &'a Turn<'a>, conversation_id: i64, state: State) -> Self {
        let traceparent = turn.asked.trace.traceparent();
        Self { turn, conversation_id, traceparent, noting: Mutex::default(), state: state.into() }
    }

    /// The changes noted so far.
    pub fn noted(&self) -> Vec<ToolCall> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.turn.as_ref().map(|open| open.calls.clone()).unwrap_or_default()
    }

    async fn note(&self, call: &ToolCall) -> Result<(), todo_store::Error> {
        let _one_at_a_time = self.noting.lock().await;
        let state = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let calls = state.turn.as_mut().map(|OpenTurn { calls, .. }| calls);
            calls.into_iter().for_each(|calls| calls.push(call.clone()));
            state.clone()
        };
        self.turn.turns.sessions.note(&self.turn.asked.tenant, self.conversation_id, &state).await
    }

    async fn make(&self, call: &ToolCall) -> ToolOutcome {
        let only_reads = self.turn.agent.tool(&call.name).is_some_and(|tool| tool.read_only);
        if !only_reads && let Err(error) = self.note(call).await {
            tracing::error!(error = with_sources(&error), "a change could not be noted and was not made");
            return ToolOutcome::error(
                "the database is not answering, and nothing was changed. Try again later.",
            );
        }
        let arguments = call.arguments.as_object().cloned().unwrap_or_else(Map::new);
        let tenant = &self.turn.asked.tenant;
        let tools = &self.turn.turns.tools;
        match tools.call(tenant, &call.name, arguments, &call.id, Some(&self.traceparent)).await {
            Ok(outcome) if outcome.is_error => ToolOutcome::error(outcome.text),
            Ok(outcome) => ToolOutcome::page(outcome.value, outcome.next_cursor),
            Err(error) => failed(&error, only_reads),
        }
    }
}

impl todo_agent::Tools for PersonTools<'_> {
    fn call<'a>(&'a self, call: &'a ToolCall) -> BoxFuture<'a, ToolOutcome> {
        self.make(call).boxed()
    }
}

/// The model is told what happened and what it can do about it, in sentences of which the first are fit for the person; the log is told why.
fn failed(error: &CallError, only_reads: bool) -> ToolOutcome {
    tracing::error!(error = with_sources(error), "a tool did not answer");
    ToolOutcome::error(match error {
        CallError::UnknownTool(_) => "there is no such tool",
        CallError::Unavailable { .. } if only_reads => "the tool is not answering. Try again in a minute.",
        CallError::Unavailable { .. } => {
            "the tool is not answering. It is not known whether anything was changed. Call list_tasks before doing it again."
        }
        _ => {
            "the tool has failed, and not because of what was asked. Call it again only when the person asks for it again."
        }
    })
}
