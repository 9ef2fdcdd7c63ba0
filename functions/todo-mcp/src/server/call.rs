//! `tools/call`: whose call it is, whether it was answered before, the tool, and its answer on the wire.

use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock, ErrorData, JsonObject, MetaObject};
use serde::Deserialize;
use serde_json::Value;
use todo_delivery::log;
use todo_domain::arguments;
use todo_identity::Tenant;
use todo_store::calls::{self, Call};
use todo_store::{Error, Origin, Transaction, outbox};

use super::Server;
use super::message::Request;
use super::rejection::Rejection;
use crate::protocol::{CALL_ID, NEXT_CURSOR};
use crate::{Answer, Tool, function_of};

/// Long enough for any scheme of ids, short enough for an index.
const CALL_ID_LIMIT: usize = 200;

/// A transaction that lost against another has changed nothing and is repeated at once: the other one is over, and if it
/// was the same call, its answer is there.
const ATTEMPTS: usize = 3;

/// One call of a tool, however it came.
pub(super) struct Work<'a> {
    /// On whose behalf.
    pub tenant: &'a Tenant,
    /// The trace it belongs to.
    pub traceparent: Option<&'a str>,
    /// By which a repetition is known for one. Without it, it cannot be.
    pub call: Option<Call>,
}

/// What a tool answered, now or when the call came for the first time.
pub(super) struct Done {
    pub answer: Value,
    pub next_cursor: Option<String>,
}

impl Server {
    pub(super) async fn call<T: Tool>(
        &self,
        tenant: &Tenant,
        request: &Request,
    ) -> Result<CallToolResult, Rejection> {
        let arguments = arguments_for::<T>(request)?;
        let traceparent = request.traceparent.as_deref();
        if let Some(claimed) = claims_another(tenant, &arguments) {
            self.audit::<T>(tenant, traceparent, claimed).await;
            return Err(Rejection::another_user());
        }
        let arguments = Value::Object(arguments);
        let call = call_id(request)?.map(|id| Call::new(id, T::NAME, &arguments));
        let work = Work { tenant, traceparent, call: call.filter(|_| !T::HINTS.read_only) };
        match self.perform::<T>(&work, &arguments).await {
            Ok(done) => Ok(shown(done)),
            Err(error) => mistake_or_failure::<T>(request, &error),
        }
    }

    /// Does the work, with a few attempts when others are in the way.
    pub(super) async fn perform<T: Tool>(&self, work: &Work<'_>, arguments: &Value) -> Result<Done, Error> {
        let mut outcome = self.attempt::<T>(work, arguments.clone()).await;
        for _ in 1..ATTEMPTS {
            if !matches!(outcome, Err(Error::Busy(_))) {
                break;
            }
            outcome = self.attempt::<T>(work, arguments.clone()).await;
        }
        outcome
    }

    /// One transaction. The effect and the memory of its answer are both in it: a call that is sent again after its response was lost
    /// finds both or neither. Only successes are remembered; a mistake changed nothing.
    async fn attempt<T: Tool>(&self, work: &Work<'_>, arguments: Value) -> Result<Done, Error> {
        let arguments = arguments::parse(arguments)?;
        let mut tx = self.begin::<T>(work).await?;
        if let Some(call) = &work.call
            && let Some(answer) = calls::first_answer(&mut tx, call).await?
        {
            return Ok(Done { answer, next_cursor: None });
        }
        let answer = T::call(&mut tx, arguments).await?;
        let done = Done { answer: wire::<T>(&answer)?, next_cursor: answer.next_cursor };
        if let Some(call) = &work.call {
            calls::remember(&mut tx, call, &done.answer).await?;
        }
        self.commit::<T>(tx).await?;
        Ok(done)
    }

    async fn begin<T: Tool>(&self, work: &Work<'_>) -> Result<Transaction, Error> {
        if T::HINTS.read_only && work.call.is_none() {
            return self.database.begin_read(work.tenant).await;
        }
        let mut tx = self.database.begin(work.tenant).await?;
        let traceparent = work.traceparent.map(str::to_owned);
        tx.set_origin(Origin { source: function_of(T::NAME), traceparent });
        if self.publisher.is_some() {
            tx.want_lease();
        }
        Ok(tx)
    }

    /// Commits, and publishes what was written once the answer is out.
    async fn commit<T: Tool>(&self, tx: Transaction) -> Result<(), Error> {
        let lease = tx.commit_to_publish().await?;
        if let (Some(publisher), Some(lease)) = (&self.publisher, lease) {
            publisher.publish_later(&function_of(T::NAME), &self.database, lease);
        }
        Ok(())
    }

    /// Records who asked in whose name. The refusal stands whether or not this succeeds.
    pub(super) async fn audit<T: Tool>(&self, tenant: &Tenant, traceparent: Option<&str>, claimed: &str) {
        let record = async {
            // A refusal is written even by a tool that only reads.
            let mut tx = self.database.begin(tenant).await?;
            let traceparent = traceparent.map(str::to_owned);
            tx.set_origin(Origin { source: function_of(T::NAME), traceparent });
            if self.publisher.is_some() {
                tx.want_lease();
            }
            outbox::access_refused(&mut tx, claimed, "user_id is not the user of the token").await?;
            self.commit::<T>(tx).await
        };
        if let Err(error) = record.await {
            log::failed(&function_of(T::NAME), traceparent, &error);
        }
    }
}

/// The arguments of a call that is for this tool; none are as good as `{}`.
fn arguments_for<T: Tool>(request: &Request) -> Result<JsonObject, Rejection> {
    let invalid = |message: String| Rejection::rpc(ErrorData::invalid_params(message, None));
    let params = CallToolRequestParams::deserialize(&request.params)
        .map_err(|error| invalid(format!("params: {error}")))?;
    if params.name != T::NAME {
        return Err(invalid(format!("unknown tool: this function has {} only", T::NAME)));
    }
    Ok(params.arguments.unwrap_or_default())
}

/// A `user_id` that is not the token's. One that is absent or no string is a mistake like any other, found later.
pub(super) fn claims_another<'a>(tenant: &Tenant, arguments: &'a JsonObject) -> Option<&'a str> {
    let claimed = arguments.get("user_id").and_then(Value::as_str);
    claimed.filter(|claimed| *claimed != tenant.user_id())
}

fn call_id(request: &Request) -> Result<Option<&str>, Rejection> {
    let Some(value) = request.meta.get(CALL_ID) else { return Ok(None) };
    let id = value.as_str().filter(|id| {
        (1..=CALL_ID_LIMIT).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    });
    id.map(Some).ok_or_else(|| {
        let problem = format!("_meta[\"{CALL_ID}\"] must be 1 to {CALL_ID_LIMIT} visible ASCII characters");
        Rejection::rpc(ErrorData::invalid_params(problem, None))
    })
}

fn wire<T: Tool>(answer: &Answer<T::Output>) -> Result<Value, Error> {
    serde_json::to_value(&answer.output).map_err(|_| Error::Corrupt("answer"))
}

/// The result as a program and as a model read it.
fn shown(done: Done) -> CallToolResult {
    let mut result = CallToolResult::structured(done.answer);
    if let Some(cursor) = done.next_cursor {
        let note = format!("There are more tasks. For the next page call again with cursor {cursor:?}.");
        result.content.push(ContentBlock::text(note));
        let mut meta = MetaObject::new();
        meta.insert(NEXT_CURSOR.to_owned(), Value::from(cursor));
        result.meta = Some(meta);
    }
    result
}

/// A mistake becomes an answer that the model can read: its client would swallow a protocol error. A failure of ours
/// becomes a protocol error that says nothing but whether to try again.
fn mistake_or_failure<T: Tool>(request: &Request, error: &Error) -> Result<CallToolResult, Rejection> {
    match (error, mistake(error)) {
        // Of the client, not of the model: it gave two calls one id.
        (Error::Conflict(_), Some(problem)) => Err(Rejection::rpc(ErrorData::invalid_params(problem, None))),
        (_, Some(mistake)) => Ok(CallToolResult::error(vec![ContentBlock::text(mistake)])),
        (failure, None) => {
            log::failed(&function_of(T::NAME), request.traceparent.as_deref(), failure);
            Err(if failure.is_transient() { Rejection::unavailable() } else { Rejection::internal() })
        }
    }
}

/// What the caller is told to do about its mistake; `None` when it made none.
pub(super) fn mistake(error: &Error) -> Option<String> {
    match error {
        Error::NotFound { what, id } => Some(format!(
            "task_id: there is no {what} {id}. Call list_tasks to see the tasks and their numbers."
        )),
        Error::Invalid(invalid) => Some(invalid.to_string()),
        Error::Conflict(problem) => Some(problem.clone()),
        _ => None,
    }
}
