//! A tool called as an outside MCP client does it, through chat's `/mcp` with the person's token; or as chat does it in a cluster, where it
//! runs on its own, with a function token.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use todo_identity::Tenant;

use crate::door::Visitor;
use crate::functions::Directory;

/// Longer than the system lets any call take.
const DEADLINE: Duration = Duration::from_secs(40);

/// One person, who knows both ways to the tools.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    person: Tenant,
    token: String,
    chat: Visitor,
    functions: Directory,
}

/// Where a call goes. Chat makes what an outside client calls an id into its own, so that a call that is sent again must go the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To chat's `/mcp`, and from there to the tool inside `todo up`.
    Chat,
    /// To the tool that runs on its own.
    Function,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The structured result, and where the next page begins.
    Done(Value, Option<String>),
    /// The call was wrong and changed nothing, says the system.
    Refused(String),
    /// Nothing came back, or that it cannot be done now: it may have been done or not.
    Nothing(String),
}

impl Client {
    pub fn new(person: Tenant, token: String, chat: Visitor, functions: Directory) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build()?;
        Ok(Self { http, person, token, chat, functions })
    }

    /// Calls a tool, as soon as it is there; the same `call_id` is the same call.
    pub async fn call(&mut self, way: Way, tool: &str, arguments: &Value, call_id: &str) -> Answer {
        let mut arguments = arguments.clone();
        let reached = match way {
            Way::Chat => self.chat.enter().await.map(|address| (address, self.token.clone())),
            Way::Function => {
                arguments["user_id"] = json!(self.person.user_id());
                self.function(&format!("tool-{}", tool.replace('_', "-"))).await
            }
        };
        let Some((address, token)) = reached else { return Answer::Nothing("the system is gone".to_owned()) };
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "faults", "version": "0"},
            "io.modelcontextprotocol/clientCapabilities": {},
            "todo/call-id": call_id,
        });
        let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
        let request = self
            .http
            .post(format!("{address}/mcp"))
            .bearer_auth(token)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
            .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}));
        match request.send().await {
            Ok(response) => read(response.status(), response.json().await.ok()),
            Err(error) => Answer::Nothing(error.without_url().to_string()),
        }
    }

    /// Where a function is, and what opens it.
    async fn function(&mut self, name: &str) -> Option<(String, String)> {
        let address = self.functions.enter(name).await?;
        Some((address, self.functions.key.mint(&self.person, name).ok()?))
    }
}

fn read(status: StatusCode, body: Option<Value>) -> Answer {
    let Some(body) = body else { return Answer::Nothing(format!("{status}, and no JSON")) };
    let result = body.get("result");
    let field = |name: &str| result.and_then(|result| result.get(name));
    let text = || field("content").and_then(|content| content.pointer("/0/text")).and_then(Value::as_str);
    match (field("isError"), field("structuredContent")) {
        (Some(Value::Bool(true)), _) => Answer::Refused(text().unwrap_or_default().to_owned()),
        (_, Some(value)) if status.is_success() => {
            let cursor = field("_meta").and_then(|meta| meta.get("todo/next-cursor")).and_then(Value::as_str);
            Answer::Done(value.clone(), cursor.map(str::to_owned))
        }
        // A JSON-RPC error: -32603 is a tool that does not answer. Whatever else it is must not be sent for ever, but the load knows when to stop.
        _ if status.is_success() || status.is_server_error() => Answer::Nothing(body.to_string()),
        _ => Answer::Refused(format!("{status} {body}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_done_refused_or_nothing() {
        let done = json!({"result": {"structuredContent": {"task_id": 1}, "content": []}});
        assert_eq!(read(StatusCode::OK, Some(done)), Answer::Done(json!({"task_id": 1}), None));
        let refused =
            json!({"result": {"isError": true, "content": [{"type": "text", "text": "no such task"}]}});
        assert_eq!(read(StatusCode::OK, Some(refused)), Answer::Refused("no such task".to_owned()));
        let away = json!({"error": {"code": -32603, "message": "the tool is not answering"}});
        assert!(matches!(read(StatusCode::OK, Some(away)), Answer::Nothing(_)));
        assert!(matches!(read(StatusCode::BAD_GATEWAY, None), Answer::Nothing(_)));
        assert!(matches!(read(StatusCode::UNAUTHORIZED, Some(json!({}))), Answer::Refused(_)));
    }
}
