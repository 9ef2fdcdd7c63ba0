//! Runs a turn: asks the model, makes the calls, and tells whoever watches.

use futures::future::{BoxFuture, join_all};
use tracing::{Instrument, field, info_span};

use crate::{Agent, Answer, Approval, Model, ModelRequest, Run, Step, ToolCall, ToolOutcome};

/// Makes tool calls for one person.
pub trait Tools: Send + Sync {
    /// Makes the call. A failure of any kind is an outcome for the model to read, and never ends the turn.
    fn call<'a>(&'a self, call: &'a ToolCall) -> BoxFuture<'a, ToolOutcome>;
}

/// What happens during a turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// More words of an answer.
    Delta(&'a str),
    /// A call is about to be made.
    Calling(&'a ToolCall),
    /// A call has been made.
    Called(&'a ToolCall, &'a ToolOutcome),
}

/// How a turn came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Say this.
    Answer(Answer),
    /// Ask this, keep it, and give it to the next turn.
    Approval(Approval),
}

impl Ending {
    /// What the person is told either way.
    pub fn text(&self) -> &str {
        match self {
            Self::Answer(answer) => &answer.text,
            Self::Approval(approval) => &approval.question,
        }
    }
}

/// Watches a turn.
pub type Watch<'a> = dyn FnMut(Event<'_>) + Send + 'a;

/// Runs until the turn ends. Dropping the future stops the turn where it is; the run can be driven on from there.
///
/// Calls that only read run side by side. Calls that change something run one after another in the model's order, so
/// that three tasks added in one sentence get their numbers in the order of the sentence.
pub async fn drive(
    run: &mut Run,
    agent: &Agent,
    model: &dyn Model,
    tools: &dyn Tools,
    watch: &mut Watch<'_>,
) -> Ending {
    loop {
        match run.next(agent) {
            Step::CallModel(request) => ask(run, agent, model, &request, watch).await,
            Step::CallTools(calls) => make(run, agent, tools, &calls, watch).await,
            Step::Interrupted(approval) => return Ending::Approval(approval),
            Step::Done(answer) => return Ending::Answer(answer),
        }
    }
}

async fn ask(run: &mut Run, agent: &Agent, model: &dyn Model, request: &ModelRequest, watch: &mut Watch<'_>) {
    let span = info_span!(
        "agent.model",
        model = model.name(),
        items = request.items.len(),
        input_tokens = field::Empty,
        output_tokens = field::Empty,
        calls = field::Empty,
        error = field::Empty,
    );
    let mut on_delta = |delta: &str| watch(Event::Delta(delta));
    let answer = model.answer(request, &mut on_delta);
    let told = match answer.instrument(span.clone()).await {
        Ok(answer) => {
            span.record("input_tokens", answer.usage.input_tokens);
            span.record("output_tokens", answer.usage.output_tokens);
            span.record("calls", answer.calls.len());
            run.model_answered(agent, answer)
        }
        Err(error) => {
            span.record("error", field::display(&error));
            tracing::warn!(parent: &span, %error, "the model failed");
            run.model_failed(&error)
        }
    };
    debug_assert!(told.is_ok(), "the run asked for the model");
}

async fn make(run: &mut Run, agent: &Agent, tools: &dyn Tools, calls: &[ToolCall], watch: &mut Watch<'_>) {
    let reads = |call: &ToolCall| agent.tool(&call.name).is_some_and(|tool| tool.read_only);
    for together in calls.chunk_by(|one, next| reads(one) && reads(next)) {
        for call in together {
            watch(Event::Calling(call));
        }
        let outcomes = join_all(together.iter().map(|call| make_one(tools, call))).await;
        for (call, outcome) in together.iter().zip(outcomes) {
            watch(Event::Called(call, &outcome));
            let told = run.tool_answered(&call.id, outcome);
            debug_assert!(told.is_ok(), "the run asked for this call");
        }
    }
}

async fn make_one(tools: &dyn Tools, call: &ToolCall) -> ToolOutcome {
    let span = info_span!("agent.tool", tool = call.name, call_id = call.id, is_error = field::Empty);
    let outcome = tools.call(call).instrument(span.clone()).await;
    span.record("is_error", outcome.is_error);
    outcome
}
