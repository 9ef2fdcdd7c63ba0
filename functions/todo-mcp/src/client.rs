//! How chat calls the tool functions: a token for the person and the function, the revision's headers, and retries that are safe because a call
//! id makes them so.

mod metrics;
mod outcome;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use prometheus_client::registry::Registry;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, CallToolResult, ClientCapabilities, Implementation, JsonObject,
    JsonRpcRequest, ListToolsRequest, ListToolsResult, PaginatedRequestParams, ProtocolVersion, RequestId,
    RequestMetaObject, Tool,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use todo_identity::{FunctionKey, Tenant};
use tokio::sync::OnceCell;

use crate::protocol::{CALL_ID, METHOD, NAME, PROTOCOL_VERSION, REVISION, TRACEPARENT};
use crate::{function_of, tool_of};
use metrics::Metrics;
pub use outcome::{CallError, CallOutcome};

/// A sleeping function may have to be scheduled, and its image pulled, before it answers.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Waits between the attempts. A function that is down for longer is down for the person too: better said than waited
/// for.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// A response answers the one request of its POST, so the id distinguishes nothing.
const REQUEST_ID: RequestId = RequestId::Number(1);

/// What stands for the function's name in the URL template.
const PLACEHOLDER: &str = "{function}";

/// The tool functions, as their only caller sees them. Clones share connections and what was fetched.
#[derive(Clone)]
pub struct Tools {
    http: reqwest::Client,
    url: String,
    functions: Vec<String>,
    key: FunctionKey,
    definitions: Arc<OnceCell<Vec<Tool>>>,
    metrics: Metrics,
}

/// A URL that would send every call to one function.
#[derive(Debug, thiserror::Error)]
#[error("the tool URL {0:?} must contain {PLACEHOLDER}, as in http://{PLACEHOLDER}.example/mcp")]
pub struct TemplateError(String);

/// One message and what its headers say about it.
struct Outgoing<'a> {
    tenant: &'a Tenant,
    function: &'a str,
    method: &'static str,
    /// Only for calls.
    tool: Option<&'a str>,
    traceparent: Option<&'a str>,
}

impl Tools {
    /// `url` is a template such as `http://{function}.todo.svc/mcp`; of `functions` those named `tool-*` are used, in
    /// their order. `http` decides whose certificates an `https` URL may have.
    pub fn new<I>(
        http: reqwest::Client,
        url: &str,
        functions: I,
        key: FunctionKey,
    ) -> Result<Self, TemplateError>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        if !url.contains(PLACEHOLDER) {
            return Err(TemplateError(url.to_owned()));
        }
        let functions = functions.into_iter().map(Into::into);
        Ok(Self {
            http,
            url: url.to_owned(),
            functions: functions.filter(|function| tool_of(function).is_some()).collect(),
            key,
            definitions: Arc::default(),
            metrics: Metrics::default(),
        })
    }

    /// Calls a tool on behalf of `tenant`, whose id is filled in as `user_id`. (A `user_id` that is already there goes as it
    /// is: the function refuses and audits another person's.) `call_id` is 1–200 visible ASCII characters, the same when
    /// the same call is sent again by whomever: the effect then happens once and the first answer comes back.
    pub async fn call(
        &self,
        tenant: &Tenant,
        name: &str,
        arguments: JsonObject,
        call_id: &str,
        traceparent: Option<&str>,
    ) -> Result<CallOutcome, CallError> {
        let began = Instant::now();
        let outcome = self.make(tenant, name, arguments, call_id, traceparent).await;
        self.metrics.called(name, &outcome, began.elapsed());
        outcome
    }

    async fn make(
        &self,
        tenant: &Tenant,
        name: &str,
        mut arguments: JsonObject,
        call_id: &str,
        traceparent: Option<&str>,
    ) -> Result<CallOutcome, CallError> {
        let function = self.function(name)?;
        arguments.entry("user_id").or_insert_with(|| Value::from(tenant.user_id()));
        let mut meta = meta(traceparent);
        meta.insert(CALL_ID.to_owned(), Value::from(call_id));
        let mut params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        params.meta = Some(meta);
        let outgoing = Outgoing { tenant, function, method: "tools/call", tool: Some(name), traceparent };
        let result: CallToolResult = self.send(&outgoing, CallToolRequest::new(params)).await?;
        Ok(CallOutcome::from(result))
    }

    /// Adds what is counted of the calls: `tool_calls` and `tool_call_duration_seconds`.
    pub fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry);
    }

    /// The tools as their functions describe them, in the order of the functions, without `user_id` among the arguments.
    /// Every person gets the same, so they are fetched once (all functions at the same time) and kept; a failure is not.
    pub async fn definitions(&self, tenant: &Tenant) -> Result<&[Tool], CallError> {
        let fetched = self.definitions.get_or_try_init(|| async {
            let lists = self.functions.iter().map(|function| self.list(tenant, function));
            Ok(try_join_all(lists).await?.into_iter().flatten().map(without_user_id).collect())
        });
        fetched.await.map(Vec::as_slice)
    }

    async fn list(&self, tenant: &Tenant, function: &str) -> Result<Vec<Tool>, CallError> {
        let mut params = PaginatedRequestParams::default();
        params.meta = Some(meta(None));
        let outgoing = Outgoing { tenant, function, method: "tools/list", tool: None, traceparent: None };
        let list: ListToolsResult = self.send(&outgoing, ListToolsRequest::with_param(params)).await?;
        Ok(list.tools)
    }

    fn function(&self, tool: &str) -> Result<&str, CallError> {
        let wanted = function_of(tool);
        let known = self.functions.iter().find(|function| **function == wanted);
        known.map(String::as_str).ok_or_else(|| CallError::UnknownTool(tool.to_owned()))
    }

    /// Sends a message, again when that may help.
    async fn send<R: DeserializeOwned>(
        &self,
        outgoing: &Outgoing<'_>,
        request: impl Serialize,
    ) -> Result<R, CallError> {
        let body = serde_json::to_vec(&JsonRpcRequest::new(REQUEST_ID, request))
            .map_err(|error| CallError::protocol(outgoing.function, error))?;
        for pause in PAUSES {
            match self.attempt(outgoing, body.clone()).await {
                Err(CallError::Unavailable { .. }) => tokio::time::sleep(pause).await,
                outcome => return outcome,
            }
        }
        self.attempt(outgoing, body).await
    }

    async fn attempt<R: DeserializeOwned>(
        &self,
        outgoing: &Outgoing<'_>,
        body: Vec<u8>,
    ) -> Result<R, CallError> {
        let Outgoing { tenant, function, method, tool, traceparent } = *outgoing;
        let mut request = self
            .http
            .post(self.url.replace(PLACEHOLDER, function))
            .timeout(ATTEMPT_TIMEOUT)
            // Asked for with each attempt: it lives for a minute only.
            .header(AUTHORIZATION, format!("Bearer {}", self.key.mint(tenant, function)?))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .header(PROTOCOL_VERSION, REVISION)
            .header(METHOD, method);
        for (name, value) in [(NAME, tool), (TRACEPARENT, traceparent)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        let unavailable = |error| CallError::unavailable(function, &error);
        let response = request.body(body).send().await.map_err(unavailable)?;
        let status = response.status();
        outcome::read(function, status, &response.bytes().await.map_err(unavailable)?)
    }
}

fn meta(traceparent: Option<&str>) -> RequestMetaObject {
    let client = Implementation::new("todo-chat", env!("CARGO_PKG_VERSION"));
    let capabilities = ClientCapabilities::default();
    let mut meta =
        RequestMetaObject::with_client_context(ProtocolVersion::V_2026_07_28, client, capabilities);
    if let Some(traceparent) = traceparent {
        meta.set_traceparent(traceparent);
    }
    meta
}

/// Who the person is, is not for a model to say or to see.
fn without_user_id(mut tool: Tool) -> Tool {
    let schema = Arc::make_mut(&mut tool.input_schema);
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        properties.remove("user_id");
    }
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| name != "user_id");
    }
    tool
}
