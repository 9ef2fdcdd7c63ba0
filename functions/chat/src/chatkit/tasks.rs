use http::StatusCode;
use serde_json::{Map, Value, json};
use todo_identity::Tenant;
use todo_mcp::CallError;
use uuid::Uuid;

use crate::Chat;
use crate::error::{Problem, with_sources};
use crate::trace::Trace;

/// The person's tasks through the same tool as the agent's, so that there is one way to read them.
pub(super) async fn list(
    chat: &Chat,
    tenant: &Tenant,
    trace: &Trace,
    arguments: Map<String, Value>,
) -> Result<Value, Problem> {
    let call_id = Uuid::new_v4().simple().to_string();
    let traceparent = trace.traceparent();
    let tools = chat.turns.tools();
    let outcome =
        tools.call(tenant, "list_tasks", arguments, &call_id, Some(&traceparent)).await.map_err(failed)?;
    match outcome.is_error {
        true => Err(Problem::invalid(outcome.text)),
        false => Ok(json!({
            "data": outcome.value,
            "has_more": outcome.next_cursor.is_some(),
            "after": outcome.next_cursor,
        })),
    }
}

fn failed(error: CallError) -> Problem {
    match &error {
        CallError::Unavailable { .. } => Problem::unavailable(
            "The tasks cannot be read at the moment; try again shortly.",
            std::time::Duration::from_secs(2),
        )
        .logged(with_sources(&error)),
        CallError::Refused { status, .. } if *status == StatusCode::FORBIDDEN => Problem::another_user(),
        error => Problem::internal(with_sources(error)),
    }
}
