use std::future::Future;
use std::sync::Arc;

use rmcp::model::ToolAnnotations;
use schemars::JsonSchema;
use serde::Serialize;
use todo_domain::arguments::{self, Arguments};
use todo_store::{Error, Transaction};

/// One MCP tool, and all that distinguishes one tool function from its siblings.
pub trait Tool {
    /// As the agent calls it: `add_task`. The function's name is this with `tool-` before it and hyphens.
    const NAME: &'static str;
    /// For people.
    const TITLE: &'static str;
    /// For models: what it does, when to use it, what comes back.
    const DESCRIPTION: &'static str;
    /// How careful a client should be.
    const HINTS: Hints;

    /// The arguments on the wire; the doc comments of its fields are what a model reads about them.
    type Arguments: Arguments;
    /// The result on the wire.
    type Output: Serialize + JsonSchema;

    /// Does the work. The skeleton has verified the person, commits when this succeeds and rolls back when it fails, and
    /// never lets a call id take effect twice. An error of the caller ([`Error::is_callers`]) becomes an answer that tells
    /// the model how to correct itself.
    fn call(
        tx: &mut Transaction,
        arguments: Self::Arguments,
    ) -> impl Future<Output = Result<Answer<Self::Output>, Error>>;
}

/// The annotations of a tool. Each is written out in each tool: the protocol's defaults assume the worst, so a forgotten
/// one would make clients ask for consent to read a list.
#[derive(Debug, Clone, Copy)]
pub struct Hints {
    /// Changes nothing. Such calls are not remembered by their call id.
    pub read_only: bool,
    /// May lose something that cannot be had back.
    pub destructive: bool,
    /// The same call again has no further effect.
    pub idempotent: bool,
}

/// A tool's result, and for a list where the next page begins.
#[derive(Debug)]
pub struct Answer<O> {
    /// The result itself, `structuredContent` on the wire.
    pub output: O,
    /// What to send as `cursor` to get the next page.
    pub next_cursor: Option<String>,
}

impl<O> From<O> for Answer<O> {
    fn from(output: O) -> Self {
        Self { output, next_cursor: None }
    }
}

/// The tool as `tools/list` shows it.
pub fn definition<T: Tool>() -> rmcp::model::Tool {
    let annotations = ToolAnnotations::new()
        .read_only(T::HINTS.read_only)
        .destructive(T::HINTS.destructive)
        .idempotent(T::HINTS.idempotent)
        // A person's tasks are a closed world: no tool reaches beyond them.
        .open_world(false);
    rmcp::model::Tool::new(T::NAME, T::DESCRIPTION, Arc::new(arguments::schema::<T::Arguments>()))
        .with_title(T::TITLE)
        .with_raw_output_schema(Arc::new(arguments::schema::<T::Output>()))
        .with_annotations(annotations)
}
