//! One turn, from the person's message to the answer, as a state machine that does no input or output.
//!
//! ```text
//!             start ──► Model ──model_answered──► Tools ──tool_answered (all)──┐
//!   (approval: yes) ──►   │  ▲                      │                          │
//!        └── Tools        │  └──────────────────────┴── nothing held back ◄────┤
//!                         │                                                    │
//!                         ├── words, limit, model_failed ──► Done              │
//!                         └── only calls that need a yes ──► Interrupted ◄─────┘
//! ```
//!
//! [`Run::next`] says what to do and changes nothing, so a run that was stored, or whose process died, asks again for
//! exactly what is missing. Calls that wait for an approval are **not** among the items until the person has decided:
//! a stored session therefore never holds a call without its result, and the decision reads in it as it happened
//! (question, "yes", call, result).

use std::collections::BTreeSet;

use jiff::Zoned;
use serde::{Deserialize, Serialize};

use crate::approval::{self, Approval};
use crate::calls::{self, Prepared};
use crate::guardrails::{self, InputRefused};
use crate::{Agent, Item, ModelAnswer, ModelError, ModelRequest, ToolCall, ToolOutcome, Usage};
use crate::{history, report};

/// Raised whenever a stored run of an older shape could be misread.
const VERSION: u32 = 1;

/// What a turn begins with.
#[derive(Debug, Clone)]
pub struct Turn {
    /// Unique for ever and at most 32 characters: a UUID without dashes. The ids of its tool calls are made from it.
    pub id: String,
    /// The present moment in the person's zone.
    pub now: Zoned,
    /// The session so far, oldest first, as earlier runs gave it in [`Run::new_items`].
    pub history: Vec<Item>,
    /// The approval the last turn ended with, if it did.
    pub approval: Option<Approval>,
    /// What the person says now.
    pub message: String,
}

/// A turn under way. Serializable at any point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    version: u32,
    id: String,
    now: Zoned,
    message: String,
    history: Vec<Item>,
    new_items: Vec<Item>,
    phase: Phase,
    model_calls: u32,
    calls_made: u32,
    /// Tasks whose deletion the person has agreed to in this turn.
    approved: BTreeSet<i64>,
    usage: Usage,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Model,
    Tools { calls: Vec<Prepared>, held: Vec<ToolCall> },
    Interrupted(Approval),
    Done(Answer),
}

/// What the run needs next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Ask the model, then [`Run::model_answered`] or [`Run::model_failed`].
    CallModel(Box<ModelRequest>),
    /// Make these calls, then [`Run::tool_answered`] for each. Order and concurrency: see [`crate::drive`].
    CallTools(Vec<ToolCall>),
    /// Say `question` to the person, store the approval, and give it to the run of their next message.
    Interrupted(Approval),
    /// Say this to the person.
    Done(Answer),
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The words.
    pub text: String,
    /// How it came about.
    pub outcome: Outcome,
}

/// How an answer came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The model gave it.
    Answered,
    /// The model had to be stopped after [`crate::Settings::max_turns`].
    TurnLimit,
    /// The model failed; the answer says so, and what was done before.
    ModelFailed,
}

/// A run was told something it had not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the run did not ask for this")]
pub struct OutOfStep;

impl Run {
    /// Begins a turn, or refuses a message no model should see.
    ///
    /// An approval that waits is settled first. "Yes" makes the stored calls. "No" answers them as declined. Anything
    /// else declines them too, and is then a message like any other.
    pub fn start(agent: &Agent, turn: Turn) -> Result<Self, InputRefused> {
        let message = guardrails::input(&turn.message, &agent.settings)?;
        let mut run = Self {
            version: VERSION,
            id: turn.id,
            now: turn.now,
            message: message.clone(),
            history: turn.history,
            new_items: Vec::new(),
            phase: Phase::Model,
            model_calls: 0,
            calls_made: 0,
            approved: BTreeSet::new(),
            usage: Usage::default(),
        };
        let decision = turn.approval.map(|approval| approval.decide(&message, &run.now));
        match decision {
            Some(approval::Decision::Approved(calls)) => {
                run.new_items.push(Item::user(message));
                run.approved = calls.iter().filter_map(approval::deleted_task).collect();
                run.call_tools(calls.into_iter().map(Prepared::ready).collect(), Vec::new());
            }
            Some(approval::Decision::Declined(calls)) => {
                run.new_items.push(Item::user(message));
                run.call_tools(calls.into_iter().map(Prepared::declined).collect(), Vec::new());
            }
            Some(approval::Decision::Unrelated(calls)) => {
                run.call_tools(calls.into_iter().map(Prepared::declined).collect(), Vec::new());
                run.new_items.push(Item::user(message));
            }
            None => run.new_items.push(Item::user(message)),
        }
        Ok(run)
    }

    /// A run that was stored; `None` when it was stored by a version whose runs this one cannot go on with.
    pub fn restore(stored: serde_json::Value) -> Option<Self> {
        let run: Self = serde_json::from_value(stored).ok()?;
        (run.version == VERSION).then_some(run)
    }

    /// What to do now. Asking twice gives the same step twice.
    pub fn next(&self, agent: &Agent) -> Step {
        match &self.phase {
            Phase::Model => Step::CallModel(Box::new(self.request(agent))),
            Phase::Tools { calls, .. } => Step::CallTools(
                calls
                    .iter()
                    .filter(|prepared| prepared.outcome.is_none())
                    .map(|prepared| prepared.call.clone())
                    .collect(),
            ),
            Phase::Interrupted(approval) => Step::Interrupted(approval.clone()),
            Phase::Done(answer) => Step::Done(answer.clone()),
        }
    }

    /// The items this turn has added to the session so far, the person's message among them. At the end of the turn
    /// they are what is to be stored; before it, some may still be missing.
    pub fn new_items(&self) -> &[Item] {
        &self.new_items
    }

    /// Tokens used in this turn so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// How often the model has answered in this turn.
    pub fn model_calls(&self) -> u32 {
        self.model_calls
    }

    /// The model has answered.
    pub fn model_answered(&mut self, agent: &Agent, answer: ModelAnswer) -> Result<(), OutOfStep> {
        if self.phase != Phase::Model {
            return Err(OutOfStep);
        }
        let last_word = self.must_answer(agent);
        self.model_calls += 1;
        self.usage += answer.usage;
        if answer.calls.is_empty() || last_word {
            let outcome = if last_word { Outcome::TurnLimit } else { Outcome::Answered };
            let text = guardrails::output(&answer.text, agent, &self.new_items, outcome);
            self.finish(text, outcome);
            return Ok(());
        }
        if !answer.text.trim().is_empty() {
            let on_the_way = guardrails::output(&answer.text, agent, &self.new_items, Outcome::Answered);
            self.new_items.push(Item::assistant(on_the_way));
        }
        let prepared = calls::prepare(agent, &self.id, self.calls_made, &self.now, answer.calls);
        self.calls_made += u32::try_from(prepared.len()).unwrap_or(u32::MAX);
        let (ready, held) = self.hold_back(prepared);
        self.call_tools(ready, held);
        Ok(())
    }

    /// The model has failed for good: the turn ends, saying so and what had been done by then.
    pub fn model_failed(&mut self, error: &ModelError) -> Result<(), OutOfStep> {
        if self.phase != Phase::Model {
            return Err(OutOfStep);
        }
        let text = report::after_failure(error, &self.new_items);
        self.finish(text, Outcome::ModelFailed);
        Ok(())
    }

    /// A tool has answered the call `id`.
    pub fn tool_answered(&mut self, id: &str, outcome: ToolOutcome) -> Result<(), OutOfStep> {
        let Phase::Tools { calls, .. } = &mut self.phase else {
            return Err(OutOfStep);
        };
        let waiting = calls.iter_mut().find(|prepared| prepared.call.id == id && prepared.outcome.is_none());
        waiting.ok_or(OutOfStep)?.outcome = Some(outcome);
        self.settle();
        Ok(())
    }

    fn request(&self, agent: &Agent) -> ModelRequest {
        let mut items = history::bounded(&self.history, &agent.settings);
        items.extend(history::repaired(&self.new_items));
        let mut instructions = agent.instructions_at(&self.now);
        if self.must_answer(agent) {
            instructions.push_str(guardrails::LAST_WORD);
        }
        ModelRequest {
            instructions,
            items,
            tools: agent.tools().to_vec(),
            may_call_tools: !self.must_answer(agent),
            now: self.now.clone(),
        }
    }

    /// One answer in words is asked for after the last one that may hold calls.
    fn must_answer(&self, agent: &Agent) -> bool {
        self.model_calls >= agent.settings.max_turns
    }

    /// Parts the calls that need the person's yes from those that do not.
    fn hold_back(&self, prepared: Vec<Prepared>) -> (Vec<Prepared>, Vec<ToolCall>) {
        let known = approval::Known {
            message: &self.message,
            history: &self.history,
            new_items: &self.new_items,
            approved: &self.approved,
        };
        let held_ids = known.needing_approval(&prepared);
        let (held, ready): (Vec<_>, Vec<_>) =
            prepared.into_iter().partition(|prepared| held_ids.contains(&prepared.call.id));
        (ready, held.into_iter().map(|prepared| prepared.call).collect())
    }

    fn call_tools(&mut self, calls: Vec<Prepared>, held: Vec<ToolCall>) {
        self.phase = Phase::Tools { calls, held };
        self.settle();
    }

    /// When every call has its outcome: writes them down, calls first and in order, and goes on.
    fn settle(&mut self) {
        let Phase::Tools { calls, held } = &mut self.phase else {
            return;
        };
        if calls.iter().any(|prepared| prepared.outcome.is_none()) {
            return;
        }
        let (calls, held) = (std::mem::take(calls), std::mem::take(held));
        let did_something = calls::any_change(&calls);
        self.new_items.extend(calls.iter().map(|prepared| Item::ToolCall(prepared.call.clone())));
        self.new_items.extend(
            calls.into_iter().filter_map(|prepared| Some(Item::result(prepared.call.id, prepared.outcome?))),
        );
        if held.is_empty() {
            self.phase = Phase::Model;
            return;
        }
        let titles = approval::titles(self.history.iter().chain(&self.new_items));
        let approval = Approval::ask(held, &titles, did_something);
        self.new_items.push(Item::assistant(approval.question.clone()));
        self.phase = Phase::Interrupted(approval);
    }

    fn finish(&mut self, text: String, outcome: Outcome) {
        self.new_items.push(Item::assistant(text.clone()));
        self.phase = Phase::Done(Answer { text, outcome });
    }
}
