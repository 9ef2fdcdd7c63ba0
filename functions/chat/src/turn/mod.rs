//! A turn: one message of a person and all that follows from it, up to the answer.
//!
//! ```text
//! begin ─ admitted? ─ task ─ conversation ─ lease ─ load ─ write message ─ agent and tools ─ write the rest, release
//!            │429/503     (open or 404)    │503 after a wait     │                 │
//!            ▼                             └ one turn at a time  └ noted as open   └ changes noted before they are made
//! ```
//!
//! The turn is a task of its own and tells what happens through a channel; whoever listens may go away. If this process
//! dies, the lease runs out and the next message finds the turn noted as open:
//!
//! - **The same words again** go on with it: same message, same turn id, so the same call ids, and a tool that had done
//!   its work gives its first answer instead of doing it twice.
//! - **Other words** close it: the changes that were noted join the conversation as calls whose result was lost, and the
//!   model looks before it does anything again. They are not made again: the person may have changed their mind.

mod admission;
mod lease;
mod opening;
mod person_tools;
mod sessions;
mod taking;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use jiff::tz::TimeZone;
use prometheus_client::registry::Registry;
use todo_agent::{Agent, Approval, Model, ToolCall, ToolDefinition, ToolOutcome};
use todo_identity::Tenant;
use todo_mcp::Tools;
use todo_store::Database;
use todo_store::conversations::Conversation;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::Limits;
use crate::error::{Problem, with_sources};
use crate::metrics::{Measured, Metrics};
use crate::trace::Trace;
use admission::Admission;
use lease::Lease;
pub(crate) use sessions::keys::answer as answer_key;
pub(crate) use sessions::{Entry, Sessions};
use taking::Turn;

/// Where the turns of this process are taken.
pub(crate) struct Turns {
    sessions: Sessions,
    tools: Tools,
    model: Measured,
    metrics: Metrics,
    limits: Limits,
    admission: Admission,
    under_way: TaskTracker,
    stop: CancellationToken,
}

/// What a person asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    pub tenant: Tenant,
    /// `None` begins a conversation.
    pub conversation_id: Option<i64>,
    pub words: Words,
    /// The person's zone, in which "tomorrow" is read.
    pub timezone: TimeZone,
    pub trace: Trace,
}

#[derive(Debug)]
pub(crate) enum Words {
    /// A message.
    New(String),
    /// The message of this key once more; it must be the conversation's last.
    Again(String),
}

/// What happens during a turn, in this order: `Begun`, the middle ones in any number, `Ended`. Or `Failed`, at any point.
#[derive(Debug)]
pub(crate) enum Event {
    Begun(Begun),
    /// More words of the answer.
    Delta(String),
    Calling(ToolCall),
    Called(ToolCall, ToolOutcome),
    Ended(Ended),
    Failed(Problem),
}

#[derive(Debug)]
pub(crate) struct Begun {
    pub conversation: Conversation,
    /// The conversation began with this turn.
    pub created: bool,
    /// The person's message; `None` when it was there already.
    pub message: Option<Entry>,
    /// The turn's id, which the keys of its entries begin with.
    pub turn_id: String,
    /// The number of its first answer: not 0 when it is taken again.
    pub first_answer: usize,
}

#[derive(Debug)]
pub(crate) struct Ended {
    pub conversation_id: i64,
    pub response: String,
    /// The question in `response` waits for a yes.
    pub approval: Option<Approval>,
    /// What the turn added after the message, this time.
    pub entries: Vec<Entry>,
}

impl Turns {
    pub fn new(database: Database, tools: Tools, model: Arc<dyn Model>, limits: Limits) -> Self {
        let metrics = Metrics::default();
        Self {
            sessions: Sessions::new(database),
            tools,
            model: Measured { model, metrics: metrics.clone() },
            metrics,
            admission: Admission::new(limits.turns, limits.turns_per_person),
            limits,
            under_way: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    /// Adds what is counted here and in the calls of tools.
    pub fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
        self.tools.register(registry);
    }

    /// Begins a turn, or says at once that there is no room for one.
    pub fn begin(self: &Arc<Self>, asked: Asked) -> Result<mpsc::UnboundedReceiver<Event>, Problem> {
        let admitted = self.admission.admit(asked.tenant.user_id());
        let permit = admitted.inspect_err(|problem| self.metrics.not_admitted(problem))?;
        // Unbounded, because a slow reader must not hold a turn up; what a turn may say is bounded by the agent's limits.
        let (events, listener) = mpsc::unbounded_channel();
        let turns = Arc::clone(self);
        let turn = async move {
            let began = Instant::now();
            let taken = std::panic::AssertUnwindSafe(turns.take(&asked, &events)).catch_unwind().await;
            let outcome = taken.unwrap_or_else(|_| Err(Problem::internal("the turn panicked")));
            turns.metrics.ended(&outcome, began.elapsed());
            let last = outcome.map_or_else(Event::Failed, Event::Ended);
            // Gone with its client, if that has gone.
            let _ = events.send(last);
            drop(permit);
        };
        self.under_way.spawn(turn.in_current_span());
        Ok(listener)
    }

    /// When no turn is under way any more.
    pub async fn finished(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Stops the turns under way; they stay noted as open.
    pub fn cut_short(&self) {
        self.stop.cancel();
    }

    async fn take(&self, asked: &Asked, events: &mpsc::UnboundedSender<Event>) -> Result<Ended, Problem> {
        let agent = self.agent(&asked.tenant).await?;
        let (conversation, created) = self.conversation(asked).await?;
        let lease =
            Lease::claim(&self.sessions, &asked.tenant, conversation.conversation_id, &self.limits).await?;
        let turn = Turn { turns: self, asked, agent: &agent, lease: &lease, events };
        let outcome = tokio::select! {
            outcome = turn.run(conversation, created) => outcome,
            lost = lease.keep() => Err(lost),
            () = self.stop.cancelled() => Err(Problem::unavailable(
                "The assistant is restarting. Send the message again in a moment; nothing is done twice.",
                Duration::from_secs(5),
            )),
        };
        // A turn that came to its end has given its conversation back already.
        if outcome.is_err() {
            lease.release().await;
        }
        outcome
    }

    async fn agent(&self, tenant: &Tenant) -> Result<Agent, Problem> {
        let definitions = self.tools.definitions(tenant).await.map_err(|error| {
            Problem::unavailable(
                "The task tools are not answering; try again shortly.",
                Duration::from_secs(2),
            )
            .logged(with_sources(&error))
        })?;
        Ok(Agent::todo(definitions.iter().map(definition).collect()))
    }

    async fn conversation(&self, asked: &Asked) -> Result<(Conversation, bool), Problem> {
        match (asked.conversation_id, &asked.words) {
            (Some(id), _) => Ok((self.sessions.get(&asked.tenant, id).await?, false)),
            (None, Words::New(message)) => {
                Ok((self.sessions.create(&asked.tenant, &title_of(message)).await?, true))
            }
            (None, Words::Again(_)) => Err(Problem::invalid("Say which conversation the message is in.")),
        }
    }
}

/// The first words of a conversation, for the list.
fn title_of(message: &str) -> String {
    const LONGEST: usize = 60;
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = words.char_indices().nth(LONGEST) else { return words };
    let cut = words.get(..end).unwrap_or_default();
    let whole_words = cut.rsplit_once(' ').map_or(cut, |(before, _)| before);
    format!("{whole_words}…")
}

fn definition(tool: &rmcp::model::Tool) -> ToolDefinition {
    let hints = tool.annotations.as_ref();
    ToolDefinition {
        name: tool.name.to_string(),
        description: tool.description.as_deref().unwrap_or_default().to_owned(),
        parameters: serde_json::Value::Object(tool.input_schema.as_ref().clone()),
        read_only: hints.and_then(|hints| hints.read_only_hint).unwrap_or(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_beginning_of_the_message_in_whole_words() {
        assert_eq!(title_of("  add\n milk "), "add milk");
        let long = title_of(&"water the plants ".repeat(10));
        assert_eq!(long, "water the plants water the plants water the plants water…");
        assert_eq!(title_of(&"ä".repeat(100)).chars().count(), 61);
    }
}
