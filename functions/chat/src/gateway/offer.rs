use std::sync::Arc;

use rmcp::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation,
    JsonObject, ListToolsResult, MetaObject, PaginatedRequestParams, ProtocolVersion, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};
use todo_identity::Tenant;
use todo_mcp::protocol::{CALL_ID, NEXT_CURSOR};
use todo_mcp::{CallError, CallOutcome, Tools};
use uuid::Uuid;

use crate::error::with_sources;
use crate::trace::Trace;

const INSTRUCTIONS: &str = "The signed-in person's to-do list. Leave user_id out: it is the person's own. Tasks are \
    named by their number (task_id); call list_tasks to find it. Send the same todo/call-id in _meta to repeat a call \
    without repeating its effect.";

/// The tools as an MCP server, one request at a time.
#[derive(Clone)]
pub(crate) struct Offer {
    tools: Tools,
}

impl Offer {
    pub fn new(tools: Tools) -> Self {
        Self { tools }
    }
}

impl ServerHandler for Offer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("todo", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let (tenant, _) = asker(&context)?;
        let definitions = self.tools.definitions(&tenant).await.map_err(failed)?;
        let objects_only = wants_objects(&context);
        let offered = definitions.iter().map(|tool| offered(tool, objects_only));
        Ok(ListToolsResult::with_all_items(offered.collect()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let (tenant, trace) = asker(&context)?;
        let chosen = context.meta.get(CALL_ID).and_then(Value::as_str).map(str::to_owned);
        let call_id = chosen.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        let arguments = request.arguments.unwrap_or_default();
        let traceparent = trace.map(|trace| trace.traceparent());
        let called =
            self.tools.call(&tenant, &request.name, arguments, &call_id, traceparent.as_deref()).await;
        Ok(result(called.map_err(failed)?, wants_objects(&context)).into())
    }
}

/// Who asks, as the layer before this has found out.
fn asker(context: &RequestContext<RoleServer>) -> Result<(Tenant, Option<Trace>), ErrorData> {
    let head = context.extensions.get::<http::request::Parts>();
    let tenant = head.and_then(|head| head.extensions.get::<Tenant>());
    let tenant = tenant.ok_or_else(|| ErrorData::internal_error("internal error", None))?;
    Ok((tenant.clone(), head.and_then(|head| head.extensions.get::<Trace>()).cloned()))
}

/// Before 2026-07-28 structured content had to be an object.
fn wants_objects(context: &RequestContext<RoleServer>) -> bool {
    let revision = context.protocol_version();
    revision.is_none_or(|revision| revision.as_str() < ProtocolVersion::V_2026_07_28.as_str())
}

/// The tool as outside clients see it: `user_id` may be there, since the contract has it, and need not.
fn offered(tool: &Tool, objects_only: bool) -> Tool {
    let mut tool = tool.clone();
    let input = Arc::make_mut(&mut tool.input_schema);
    if let Some(Value::Object(properties)) = input.get_mut("properties") {
        let user_id =
            json!({ "type": "string", "description": "Leave it out: it is the signed-in person's own id." });
        properties.insert("user_id".to_owned(), user_id);
    }
    if objects_only {
        tool.output_schema = tool.output_schema.map(wrapped_schema);
    }
    tool
}

fn wrapped_schema(schema: Arc<JsonObject>) -> Arc<JsonObject> {
    if schema.get("type").is_some_and(|kind| kind == "object") {
        return schema;
    }
    let mut inner = schema.as_ref().clone();
    // References within point at the root.
    let definitions = inner.remove("$defs");
    let dialect = inner.remove("$schema");
    let mut outer = JsonObject::new();
    outer.extend(dialect.map(|dialect| ("$schema".to_owned(), dialect)));
    outer.insert("type".to_owned(), "object".into());
    outer.insert("properties".to_owned(), json!({ "result": inner }));
    outer.insert("required".to_owned(), json!(["result"]));
    outer.extend(definitions.map(|definitions| ("$defs".to_owned(), definitions)));
    Arc::new(outer)
}

fn result(outcome: CallOutcome, objects_only: bool) -> CallToolResult {
    if outcome.is_error {
        return CallToolResult::error(vec![ContentBlock::text(outcome.text)]);
    }
    let value = match outcome.value {
        value if objects_only && !value.is_object() => json!({ "result": value }),
        value => value,
    };
    let mut result = CallToolResult::structured(value);
    if let Some(cursor) = outcome.next_cursor {
        // Models read text and not `_meta`.
        result
            .content
            .push(ContentBlock::text(format!("There are more. Send cursor: \"{cursor}\" to go on.")));
        let mut meta = MetaObject::new();
        meta.insert(NEXT_CURSOR.to_owned(), cursor.into());
        result.meta = Some(meta);
    }
    result
}

fn failed(error: CallError) -> ErrorData {
    if let CallError::UnknownTool(_) = error {
        return ErrorData::invalid_params("there is no such tool; tools/list has them all", None);
    }
    tracing::error!(error = with_sources(&error), "a tool did not answer the gateway");
    match error {
        CallError::Unavailable { .. } => {
            ErrorData::internal_error("the tool is not answering; send the same call again shortly", None)
        }
        _ => ErrorData::internal_error("internal error", None),
    }
}
