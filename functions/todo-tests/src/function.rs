use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

/// A tool function, called past the agent with a function token.
pub struct Function {
    http: reqwest::Client,
    url: String,
    tool: String,
    person: String,
    token: String,
}

/// What a function answered.
#[derive(Debug)]
pub struct Call {
    /// The HTTP status.
    pub status: StatusCode,
    /// The `WWW-Authenticate` header, or nothing.
    pub challenge: String,
    /// The JSON body, or null.
    pub body: Value,
}

impl Call {
    /// The structured result; fails the test when the call did not succeed.
    pub fn result(&self) -> &Value {
        let result = &self.body["result"];
        assert!(
            result["isError"] != true && !result["structuredContent"].is_null(),
            "the call failed: {self:?}"
        );
        &result["structuredContent"]
    }

    /// The text that tells a model what it did wrong; fails the test when the call was no such mistake.
    pub fn mistake(&self) -> &str {
        let result = &self.body["result"];
        assert!(result["isError"] == true, "the call was no mistake: {self:?}");
        result["content"][0]["text"].as_str().unwrap()
    }
}

impl Function {
    pub(crate) fn new(url: &str, name: &str, person: &str, token: &str) -> Self {
        let tool = name.trim_start_matches("tool-").replace('-', "_");
        let (url, person, token) = (url.to_owned(), person.to_owned(), token.to_owned());
        Self { http: reqwest::Client::new(), url, tool, person, token }
    }

    /// The same function, called with another token.
    pub fn with_token(mut self, token: &str) -> Self {
        token.clone_into(&mut self.token);
        self
    }

    /// The same function over the same connections, for whoever calls it for longer than a token lives.
    pub fn renewed(&self, token: &str) -> Self {
        let (http, url) = (self.http.clone(), self.url.clone());
        let (tool, person, token) = (self.tool.clone(), self.person.clone(), token.to_owned());
        Self { http, url, tool, person, token }
    }

    /// The token that this function is called with.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Calls the tool for its person; `user_id` is filled in when the arguments lack it.
    pub async fn call(&self, arguments: Value) -> Call {
        self.call_with_id(arguments, &uuid::Uuid::new_v4().to_string()).await
    }

    /// Calls the tool with a call id of the test's choice.
    pub async fn call_with_id(&self, mut arguments: Value, call_id: &str) -> Call {
        if arguments.get("user_id").is_none() {
            arguments["user_id"] = json!(self.person);
        }
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "todo-tests", "version": "0"},
            "io.modelcontextprotocol/clientCapabilities": {},
            "todo/call-id": call_id,
        });
        let params = json!({"name": self.tool, "arguments": arguments, "_meta": meta});
        self.send(
            self.request("tools/call"),
            &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}),
        )
        .await
    }

    /// A request to the function as this person, for one method.
    pub fn request(&self, method: &str) -> RequestBuilder {
        self.http
            .post(&self.url)
            .bearer_auth(&self.token)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .header("mcp-name", &self.tool)
    }

    async fn send(&self, request: RequestBuilder, body: &Value) -> Call {
        let response = request.json(body).send().await.unwrap();
        let challenge =
            response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
        Call {
            status: response.status(),
            challenge: challenge.unwrap_or_default(),
            body: response.json().await.unwrap_or_default(),
        }
    }
}
