//! The faulty component, built and loaded.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use todo_host::{Builder, Counts, Functions, Limits, Manifest, Variables, build};

/// The component's name.
pub const FAULTY: &str = "faulty-component";
/// Long enough for a request on a busy machine, short enough to wait for in a test.
pub const SOON: Duration = Duration::from_millis(700);

/// A response: its status and its JSON body.
pub type Answer = (StatusCode, Value);

/// A loaded component with a folder of its own.
pub struct World {
    pub functions: Arc<Functions>,
    pub folder: tempfile::TempDir,
}

/// The manifest, its component built by its own command.
pub fn manifest() -> &'static Manifest {
    static BUILT: OnceLock<Manifest> = OnceLock::new();
    BUILT.get_or_init(|| {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../todo-tests/faulty-component/spin.toml");
        let manifest = Manifest::load(file).unwrap();
        build(&manifest, |step| eprintln!("{step}")).unwrap();
        manifest
    })
}

/// What the component is compiled into: kept between runs, as a developer's is.
pub fn cache() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cwasm")
}

pub fn variables() -> Variables {
    Variables::from([("greeting".into(), "hello".into())])
}

impl World {
    pub async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        Self::load(|builder| builder.limits(limits)).await
    }

    pub async fn load(change: impl FnOnce(Builder<'_>) -> Builder<'_>) -> Self {
        let manifest = tokio::task::spawn_blocking(manifest).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let builder = Functions::builder(manifest)
            .variables(variables())
            .sqlite("default", folder.path().join("todo.db"))
            .cache(cache());
        let functions = change(builder).load().await.unwrap();
        Self { functions: Arc::new(functions), folder }
    }

    /// Posts `body` to the component's `path`.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        let request = Request::post(path).body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.post(path, "").await
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let response = self.functions.handle(FAULTY, request).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    pub fn counts(&self) -> Counts {
        self.functions.counters().map(|(_, counters)| counters.counts()).next().unwrap()
    }
}

/// The answer in the component's place that tells `code`.
pub fn refused((status, body): &Answer, expected: StatusCode, code: &str) {
    assert_eq!((*status, body["error"].as_str()), (expected, Some(code)), "{body}");
    assert!(!body["message"].as_str().unwrap().is_empty());
}
