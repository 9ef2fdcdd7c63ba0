//! `tools/call`: whose call it is, whether it was answered before, the tool, and its answer on the wire.

use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock, ErrorData, JsonObject, MetaObject};
use serde::Deserialize;
use serde_json::Value;
use todo_domain::arguments;
use todo_identity::Tenant;
use todo_store::calls::{self, Call};
use todo_store::{Error, Origin, Transaction, tasks};

use super::message::Request;
use super::rejection::Rejection;
use super::{Server, log};
use crate::protocol::{CALL_ID, NEXT_CURSOR};
use crate::{Answer, Tool, function_of};

/// Long enough for any scheme of ids, short enough for an index.
const CALL_ID_LIMIT: usize = 200;

/// A transaction that lost against another has changed nothing and is repeated at once: the other one is over, and if it
/// was the same call, its answer is there.
const ATTEMPTS: usize = 3;

impl Server {
    pub(super) async fn call<T: Tool>(
        &self,
        tenant: &Tenant,
        request: &Request,
    ) -> Result<CallToolResult, Rejection> {
        let arguments = arguments_for::<T>(request)?;
        if let Some(claimed) = claims_another(tenant, &arguments) {
            self.audit::<T>(tenant, request, claimed).await;
            return Err(Rejection::another_user());
        }
        let arguments = Value::Object(arguments);
        let call = call_id(request)?.map(|id| Call::new(id, T::NAME, &arguments));
        let call = call.filter(|_| !T::HINTS.read_only);
        let mut outcome = self.attempt::<T>(tenant, request, call.as_ref(), &arguments).await;
        for _ in 1..ATTEMPTS {
            if !matches!(outcome, Err(Error::Busy(_))) {
                break;
            }
            outcome = self.attempt::<T>(tenant, request, call.as_ref(), &arguments).await;
        }
        outcome.or_else(|error| mistake_or_failure::<T>(request, &error))
    }

    /// One transaction. Without a call id a repetition cannot be known for one.
    async fn attempt<T: Tool>(
        &self,
        tenant: &Tenant,
        request: &Request,
        call: Option<&Call>,
        arguments: &Value,
    ) -> Result<CallToolResult, Error> {
        match call {
            Some(call) => self.run_once::<T>(tenant, request, call, arguments.clone()).await,
            None => self.run::<T>(tenant, request, arguments.clone()).await,
        }
    }

    async fn run<T: Tool>(
        &self,
        tenant: &Tenant,
        request: &Request,
        arguments: Value,
    ) -> Result<CallToolResult, Error> {
        let arguments = arguments::parse(arguments)?;
        let mut tx = self.begin::<T>(tenant, request).await?;
        let answer = T::call(&mut tx, arguments).await?;
        tx.commit().await?;
        Ok(shown(wire::<T>(&answer)?, answer.next_cursor))
    }

    /// The effect and the memory of its answer are one transaction: a call that is sent again after its response was lost
    /// finds both or neither. Only successes are remembered; a mistake changed nothing.
    async fn run_once<T: Tool>(
        &self,
        tenant: &Tenant,
        request: &Request,
        call: &Call,
        arguments: Value,
    ) -> Result<CallToolResult, Error> {
        let arguments = arguments::parse(arguments)?;
        let mut tx = self.begin::<T>(tenant, request).await?;
        if let Some(first) = calls::first_answer(&mut tx, call).await? {
            return Ok(shown(first, None));
        }
        let answer = wire::<T>(&T::call(&mut tx, arguments).await?)?;
        calls::remember(&mut tx, call, &answer).await?;
        tx.commit().await?;
        Ok(shown(answer, None))
    }

    async fn begin<T: Tool>(&self, tenant: &Tenant, request: &Request) -> Result<Transaction, Error> {
        let mut tx = if T::HINTS.read_only {
            self.database.begin_read(tenant).await?
        } else {
            self.database.begin(tenant).await?
        };
        tx.set_origin(origin::<T>(request));
        Ok(tx)
    }

    /// Records who asked in whose name. The refusal stands whether or not this succeeds.
    async fn audit<T: Tool>(&self, tenant: &Tenant, request: &Request, claimed: &str) {
        let record = async {
            let mut tx = self.database.begin(tenant).await?;
            tx.set_origin(origin::<T>(request));
            tasks::access_refused(&mut tx, claimed, "user_id is not the user of the token").await?;
            tx.commit().await
        };
        if let Err(error) = record.await {
            log::failed(T::NAME, request.traceparent.as_deref(), &error);
        }
    }
}

/// Who makes the changes, as their events tell it.
fn origin<T: Tool>(request: &Request) -> Origin {
    Origin { source: function_of(T::NAME), traceparent: request.traceparent.clone() }
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
fn claims_another<'a>(tenant: &Tenant, arguments: &'a JsonObject) -> Option<&'a str> {
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
fn shown(answer: Value, next_cursor: Option<String>) -> CallToolResult {
    let mut result = CallToolResult::structured(answer);
    if let Some(cursor) = next_cursor {
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
    let mistake = match error {
        // Of the client, not of the model: it gave two calls one id.
        Error::Conflict(problem) => {
            return Err(Rejection::rpc(ErrorData::invalid_params(problem.clone(), None)));
        }
        Error::NotFound { what, id } => {
            format!("task_id: there is no {what} {id}. Call list_tasks to see the tasks and their numbers.")
        }
        Error::Invalid(invalid) => invalid.to_string(),
        failure => {
            log::failed(T::NAME, request.traceparent.as_deref(), failure);
            let transient = failure.is_transient();
            return Err(if transient { Rejection::unavailable() } else { Rejection::internal() });
        }
    };
    Ok(CallToolResult::error(vec![ContentBlock::text(mistake)]))
}
