//! A database, the tool functions, and any number of chat replicas before them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use chat::{Chat, Config, Environment, KeySource, Limits};
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use todo_agent::Model;
use todo_identity::{DevelopmentKey, FunctionKey, Policy, Verifier};
use todo_mcp::{Server, Tool, Tools, function_of};
use todo_store::testing::TestDatabase;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};
use tool_add_task::AddTask;
use tool_complete_task::CompleteTask;
use tool_delete_task::DeleteTask;
use tool_list_tasks::ListTasks;
use tool_update_task::UpdateTask;

/// In flow order.
const FUNCTIONS: [&str; 5] =
    ["tool-add-task", "tool-list-tasks", "tool-complete-task", "tool-delete-task", "tool-update-task"];

pub struct World {
    pub database: TestDatabase,
    pub people: DevelopmentKey,
    pub http: reqwest::Client,
    function_key: FunctionKey,
    functions: Functions,
    _folder: TempDir,
}

/// A chat process.
pub struct Replica {
    pub url: String,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<std::io::Result<()>>>,
}

impl World {
    pub async fn new() -> Self {
        todo_agent::install_tls_provider();
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::sqlite().await.unwrap();
        let function_key = FunctionKey::generate().unwrap();
        let functions = Functions::start(&database, &function_key).await;
        Self {
            people: DevelopmentKey::load_or_create(&folder.path().join("key.pem")).unwrap(),
            http: reqwest::Client::new(),
            database,
            function_key,
            functions,
            _folder: folder,
        }
    }

    /// The usual configuration with this model.
    pub fn config(&self, model: impl Model + 'static) -> Config {
        Config {
            environment: Environment::Development,
            keys: KeySource::Development(self.people.public_jwks()),
            policy: DevelopmentKey::policy(),
            database: self.database.database().clone(),
            tools: self.tools(&self.functions.url),
            model: Arc::new(model),
            public_url: None,
            allowed_origins: Vec::new(),
            limits: Limits::default(),
        }
    }

    /// The client of the tools behind `url`, made as the process makes it.
    pub fn tools(&self, url: &str) -> Tools {
        let http = todo_agent::client_builder(url).unwrap().build().unwrap();
        Tools::new(http, url, FUNCTIONS, self.function_key.clone()).unwrap()
    }

    /// A chat process with this model.
    pub async fn serve(&self, model: impl Model + 'static) -> Replica {
        Replica::start(self.config(model)).await
    }

    /// A chat process that knows people by `keys` and `policy`.
    pub async fn serve_people(&self, keys: KeySource, policy: Policy) -> Replica {
        Replica::start(Config { keys, policy, ..self.config(todo_agent::Offline) }).await
    }

    pub fn token(&self, user_id: &str) -> String {
        self.people.token(user_id, 300).unwrap()
    }

    /// Whether the tool functions answer.
    pub fn functions_are_away(&self, away: bool) {
        self.functions.serving.away.store(away, Ordering::SeqCst);
    }

    /// Sends a body to a person's chat endpoint.
    pub fn post(&self, replica: &Replica, user_id: &str, body: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/api/{user_id}/chat", replica.url);
        self.http.post(url).bearer_auth(self.token(user_id)).json(body)
    }

    pub async fn ask(&self, replica: &Replica, user_id: &str, body: Value) -> (StatusCode, Value) {
        let response = self.post(replica, user_id, &body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Sends a body and expects success.
    pub async fn answer(&self, replica: &Replica, user_id: &str, body: Value) -> Value {
        let (status, answer) = self.ask(replica, user_id, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// Says something in a conversation of `ada`'s, or begins one.
    pub async fn say(&self, replica: &Replica, conversation: Option<i64>, message: &str) -> Value {
        let mut body = json!({ "message": message });
        if let Some(conversation) = conversation {
            body["conversation_id"] = conversation.into();
        }
        self.answer(replica, "ada", body).await
    }

    /// Streams `body` as `ada` and gives the events as (name, data).
    pub async fn stream(&self, replica: &Replica, body: Value) -> Vec<(String, Value)> {
        let request = self.post(replica, "ada", &body).header("accept", "text/event-stream");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        events(&response.text().await.unwrap())
    }

    /// The titles of `ada`'s tasks.
    pub async fn titles(&self, replica: &Replica) -> Vec<String> {
        let body = json!({ "type": "tasks.list", "params": { "sort": "created", "order": "asc" } });
        let page = self.answer(replica, "ada", body).await;
        page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task["title"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The events that were written, oldest first.
    pub async fn events_written(&self) -> Vec<Value> {
        let rows = self.database.as_owner("SELECT body FROM outbox ORDER BY event_id").await.unwrap();
        rows.iter().map(|row| serde_json::from_str(&row[0]).unwrap()).collect()
    }
}

impl Replica {
    pub async fn start(config: Config) -> Self {
        Self::start_chat(Chat::open(config).await.unwrap()).await
    }

    pub async fn start_chat(chat: Chat) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let server = tokio::spawn(chat::serve(listener, chat, shutdown));
        Self { url, stop: Some(stop), server: Some(server) }
    }

    /// Tells the process to stop.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// When the process has ended.
    pub async fn ended(&mut self) {
        self.server.take().unwrap().await.unwrap().unwrap();
    }
}

/// Server-sent events as (name, data); the name is empty when there is none.
pub fn events(text: &str) -> Vec<(String, Value)> {
    let blocks = text.split("\n\n").filter(|block| block.contains("data:"));
    let read = blocks.map(|block| {
        let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let data = serde_json::from_str(line("data:").unwrap()).unwrap();
        (line("event:").unwrap_or_default().to_owned(), data)
    });
    read.collect()
}

/// The five tools behind one socket, as a host would serve them.
struct Functions {
    url: String,
    serving: Arc<Serving>,
    server: AbortHandle,
}

struct Serving {
    away: AtomicBool,
    add: Server,
    list: Server,
    complete: Server,
    delete: Server,
    update: Server,
}

impl Functions {
    async fn start(database: &TestDatabase, key: &FunctionKey) -> Self {
        let serving = Arc::new(Serving {
            away: AtomicBool::new(false),
            add: server::<AddTask>(database, key),
            list: server::<ListTasks>(database, key),
            complete: server::<CompleteTask>(database, key),
            delete: server::<DeleteTask>(database, key),
            update: server::<UpdateTask>(database, key),
        });
        let router =
            Router::new().route("/{function}/mcp", axum::routing::any(serve)).with_state(serving.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{{function}}/mcp", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await }).abort_handle();
        Self { url, serving, server }
    }
}

impl Drop for Functions {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn server<T: Tool>(database: &TestDatabase, key: &FunctionKey) -> Server {
    let verifier = Verifier::function(&key.public_jwks(), &function_of(T::NAME)).unwrap();
    Server::new(database.database().clone(), verifier)
}

async fn serve(
    State(serving): State<Arc<Serving>>,
    Path(function): Path<String>,
    request: Request,
) -> Response {
    if serving.away.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let response = match function.as_str() {
        "tool-add-task" => serving.add.serve::<AddTask, _>(request).await,
        "tool-list-tasks" => serving.list.serve::<ListTasks, _>(request).await,
        "tool-complete-task" => serving.complete.serve::<CompleteTask, _>(request).await,
        "tool-delete-task" => serving.delete.serve::<DeleteTask, _>(request).await,
        "tool-update-task" => serving.update.serve::<UpdateTask, _>(request).await,
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    response.map(Body::new)
}
