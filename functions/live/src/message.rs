//! What is sent to a page: one JSON object per message.

use axum::extract::ws::Utf8Bytes;
use serde_json::{Map, Value, json};
use todo_domain::TaskView;
use todo_store::tasks::Page;
use todo_store::updates::{Head, Update};

/// A message and where it stands. Cloning it copies no text: all sockets of a person send the same.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub offset: i64,
    pub text: Utf8Bytes,
}

impl Frame {
    /// A change or a reminder, as it was pushed.
    pub fn of_update(update: &Update) -> Self {
        let Ok(mut message) = serde_json::from_str::<Map<String, Value>>(&update.body) else {
            tracing::error!(offset = update.offset, "an update is no JSON object; passed over");
            return Self::heartbeat(update.offset);
        };
        message.insert("offset".to_owned(), update.offset.into());
        message.insert("sequence".to_owned(), update.sequence.into());
        Self::new(update.offset, Value::Object(message))
    }

    /// The tasks as they are, and how far that is.
    pub fn snapshot(head: Head, pending: Page, completed: Page) -> Self {
        let message = json!({
            "type": "snapshot",
            "offset": head.offset,
            "sequence": head.sequence,
            "pending": page(&pending),
            "completed": page(&completed),
        });
        Self::new(head.offset, message)
    }

    /// A sign of life.
    pub fn heartbeat(offset: i64) -> Self {
        Self::new(offset, json!({ "type": "heartbeat", "offset": offset }))
    }

    fn new(offset: i64, message: Value) -> Self {
        Self { offset, text: message.to_string().into() }
    }
}

/// As `tasks.list` gives it on the chat URL, so that its next page can be asked for there.
fn page(page: &Page) -> Value {
    let tasks: Vec<TaskView> = page.tasks.iter().map(TaskView::from).collect();
    json!({ "data": tasks, "has_more": page.next_cursor.is_some(), "after": page.next_cursor })
}
