//! A database, the keys, and people who send requests.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use todo_identity::{FunctionKey, Tenant, Verifier};
use todo_mcp::{Server, Tool, function_of};
use todo_store::testing::{TestDatabase, tenant};

pub const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Each test has its own.
pub struct World {
    pub database: TestDatabase,
    pub key: FunctionKey,
}

impl World {
    pub async fn new() -> Self {
        Self { database: TestDatabase::sqlite().await.unwrap(), key: FunctionKey::generate().unwrap() }
    }

    pub fn tenant(&self, user_id: &str) -> Tenant {
        tenant(user_id).unwrap()
    }

    /// The events that were written, oldest first, as CloudEvents.
    pub async fn events(&self) -> Vec<Value> {
        let rows = self.database.as_owner("SELECT body FROM outbox ORDER BY event_id").await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row[0]).unwrap()).collect()
    }

    /// The function that holds the tool.
    pub fn server<T: Tool>(&self) -> Server {
        let verifier = Verifier::function(&self.key.public_jwks(), &function_of(T::NAME)).unwrap();
        Server::new(self.database.database().clone(), verifier)
    }

    pub fn token(&self, user_id: &str, audience: &str) -> String {
        self.key.mint(&self.tenant(user_id), audience).unwrap()
    }

    /// A complete and correct request of `ada`, to be spoiled by the test.
    pub fn post<T: Tool>(&self, method: &str, params: Value) -> Post {
        let token = self.token("ada", &function_of(T::NAME));
        let mut post =
            Post { verb: "POST", path: "/mcp".to_owned(), headers: HeaderMap::new(), body: Vec::new() };
        let name = params.get("name").and_then(Value::as_str).map(str::to_owned);
        post = post
            .header("authorization", &format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        if let Some(name) = name {
            post = post.header("mcp-name", &name);
        }
        let mut params = params;
        if params.get("_meta").is_none() {
            params["_meta"] = meta();
        }
        post.json(&json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
    }

    /// A call of `ada`'s with these arguments, `user_id` included.
    pub fn call_post<T: Tool>(&self, arguments: Value) -> Post {
        let mut arguments = arguments;
        if arguments.get("user_id").is_none() {
            arguments["user_id"] = json!("ada");
        }
        self.post::<T>("tools/call", json!({"name": T::NAME, "arguments": arguments}))
    }

    /// Calls as `ada` and returns the result, whether it is an error or not.
    pub async fn call<T: Tool>(&self, arguments: Value) -> Value {
        self.send::<T>(self.call_post::<T>(arguments)).await.result()
    }

    /// Calls as `ada`, expecting success, and returns the structured content.
    pub async fn done<T: Tool>(&self, arguments: Value) -> Value {
        let result = self.call::<T>(arguments).await;
        assert_eq!(result["isError"], json!(false), "{result}");
        result["structuredContent"].clone()
    }

    /// Calls as `ada`, expecting a mistake, and returns what the model is told.
    pub async fn mistake<T: Tool>(&self, arguments: Value) -> String {
        let result = self.call::<T>(arguments).await;
        assert_eq!(result["isError"], json!(true), "{result}");
        assert!(result.get("structuredContent").is_none(), "an error conforms to no output schema: {result}");
        result["content"][0]["text"].as_str().unwrap().to_owned()
    }

    pub async fn send<T: Tool>(&self, post: Post) -> Reply {
        self.send_to::<T>(&self.server::<T>(), post).await
    }

    pub async fn send_to<T: Tool>(&self, server: &Server, post: Post) -> Reply {
        let response = server.serve::<T, _>(post.request()).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Reply { status: head.status, headers: head.headers, body }
    }
}

pub fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// `meta` with one more key.
pub fn meta_with(key: &str, value: impl Into<Value>) -> Value {
    let mut meta = meta();
    meta[key] = value.into();
    meta
}

#[derive(Clone)]
pub struct Post {
    verb: &'static str,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Post {
    /// A CloudEvent in structured JSON, posted to the function itself.
    pub fn event(event: &Value) -> Self {
        let post = Self { verb: "POST", path: "/".to_owned(), headers: HeaderMap::new(), body: Vec::new() };
        post.header("content-type", "application/cloudevents+json").json(event)
    }

    pub fn verb(mut self, verb: &'static str) -> Self {
        self.verb = verb;
        self
    }

    pub fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap();
        self.headers.insert(name, HeaderValue::try_from(value).unwrap());
        self
    }

    pub fn another(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::try_from(name).unwrap();
        self.headers.append(name, HeaderValue::try_from(value).unwrap());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// Changes the message that is sent.
    pub fn edit(self, change: impl FnOnce(&mut Value)) -> Self {
        let mut message = serde_json::from_slice(&self.body).unwrap();
        change(&mut message);
        self.json(&message)
    }

    fn request(self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::from(self.body));
        *request.method_mut() = self.verb.parse().unwrap();
        *request.uri_mut() = self.path.parse().unwrap();
        *request.headers_mut() = self.headers;
        request
    }
}

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The result of a request that was answered.
    pub fn result(&self) -> Value {
        let mut json = self.json();
        assert_eq!(
            (self.status, &json["id"], &json["jsonrpc"]),
            (StatusCode::OK, &json!(7), &json!("2.0")),
            "{json}"
        );
        assert_eq!(json["result"]["resultType"], json!("complete"), "{json}");
        json["result"].take()
    }

    /// The status and the JSON-RPC error code of a request that was not.
    pub fn error(&self) -> (u16, i64) {
        (self.status.as_u16(), self.json()["error"]["code"].as_i64().unwrap())
    }
}
