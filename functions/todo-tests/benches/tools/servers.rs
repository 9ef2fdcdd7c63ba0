//! The two ways to run a tool, each on a port.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::routing::post;
use todo_host::{Functions, Manifest, Server, Variables};
use todo_identity::{DevelopmentKey, FunctionKey, Keys, Tenant, Verifier};
use todo_mcp::Settings;
use todo_store::testing::TestDatabase;
use tokio::net::TcpListener;
use tool_add_task::AddTask;
use tool_list_tasks::ListTasks;

/// How a tool is run.
#[derive(Clone, Copy)]
pub enum Kind {
    /// The handler compiled for this machine, behind axum.
    Native,
    /// The component in the host.
    Component,
}

/// Both, and the key to call them with.
pub struct Servers {
    native: String,
    component: String,
    key: FunctionKey,
    tenant: Tenant,
}

impl Servers {
    /// Starts both, each on its database.
    pub async fn start(native: &TestDatabase, component: &TestDatabase) -> Self {
        let key = FunctionKey::generate().unwrap();
        Self {
            native: start_native(&native.url, &key).await,
            component: start_component(&component.url, &key).await,
            tenant: tenant(),
            key,
        }
    }

    /// The URL of a tool.
    pub fn url(&self, kind: Kind, tool: &str) -> String {
        let base = match kind {
            Kind::Native => &self.native,
            Kind::Component => &self.component,
        };
        format!("{base}/{tool}/mcp")
    }

    /// A token for a tool.
    pub fn token(&self, tool: &str) -> String {
        self.key.mint(&self.tenant, tool).unwrap()
    }
}

/// The person who measures.
pub fn tenant() -> Tenant {
    let folder = tempfile::tempdir().unwrap();
    let key = DevelopmentKey::load_or_create(&folder.path().join("key.pem")).unwrap();
    let keys = Keys::jwks(&key.public_jwks()).unwrap();
    Verifier::people(keys, DevelopmentKey::policy()).verify(&key.token("bench", 60).unwrap()).unwrap()
}

/// The manifest of the repository, its components built.
pub fn manifest() -> Manifest {
    let manifest = Manifest::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml")).unwrap();
    todo_host::build(&manifest, |step| eprintln!("{step}")).unwrap();
    manifest
}

async fn start_native(database_url: &str, key: &FunctionKey) -> String {
    let server = async |function: &str| {
        let settings = Settings {
            database_url: database_url.to_owned(),
            function_public_keys: key.public_jwks(),
            function_audience: function.to_owned(),
        };
        Arc::new(todo_mcp::Server::open(&settings).await.unwrap())
    };
    let (add, list) = (server("tool-add-task").await, server("tool-list-tasks").await);
    let router = Router::new()
        .route(
            "/tool-add-task/mcp",
            post(async move |request: Request| {
                add.serve::<AddTask, _>(request).await.map(axum::body::Body::new)
            }),
        )
        .route(
            "/tool-list-tasks/mcp",
            post(async move |request: Request| {
                list.serve::<ListTasks, _>(request).await.map(axum::body::Body::new)
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

async fn start_component(database_url: &str, key: &FunctionKey) -> String {
    let manifest = manifest();
    let variables = Variables::from([
        ("database_url".to_owned(), database_url.to_owned()),
        ("function_public_keys".to_owned(), key.public_jwks()),
    ]);
    let mut functions =
        Functions::builder(&manifest).variables(variables).cache(std::env::temp_dir().join("todo-bench"));
    if let Some(file) = database_url.strip_prefix("sqlite:") {
        functions = functions.sqlite("default", file);
    }
    let server = Server::new(functions.load().await.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(server.serve(listener, std::future::pending()));
    url
}
