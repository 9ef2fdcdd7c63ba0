use std::path::{Path, PathBuf};
use std::sync::Once;

use clap::Args as _;
use tempfile::TempDir;
use todo::config::Config;
use todo::{EventVariables, System};
use todo_identity::{DevelopmentKey, FunctionKey, Keys, Tenant, Verifier};
use todo_store::testing::TestDatabase;
use tokio::net::TcpSocket;

use crate::{Function, Person, Platform};

/// Which database a world keeps its data in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in the world's folder.
    Sqlite,
    /// A new database on a server.
    Postgres,
}

/// The whole system with data of its own.
pub struct World {
    system: Option<System>,
    config: Config,
    function_key: FunctionKey,
    folder: TempDir,
    held: Option<TcpSocket>,
    _database: Option<TestDatabase>,
}

impl World {
    /// Starts a world; `None` when there is no Postgres server and none is required.
    pub async fn on(engine: Engine) -> Option<Self> {
        Self::with(engine, |_| {}).await
    }

    /// Starts a world whose configuration is changed first.
    pub async fn with(engine: Engine, change: impl FnOnce(&mut Config)) -> Option<Self> {
        build_once();
        let folder = tempfile::tempdir().unwrap();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                Some(TestDatabase::postgres().await.unwrap_or_else(|failure| panic!("{failure}"))?)
            }
        };
        let mut config = config(folder.path());
        config.database_url = database.as_ref().map(|database| database.url.clone());
        change(&mut config);
        Some(Self::started(config, folder, database).await)
    }

    /// Starts a world whose events and jobs a platform carries and whose data its Postgres has. One at a time: its daprd knows one app.
    pub async fn beside(platform: &Platform, change: impl FnOnce(&mut Config)) -> Self {
        build_once();
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path());
        config.database_url = Some(platform.database_url());
        config.dapr_http_endpoint = Some(platform.dapr_http_endpoint());
        config.dapr_app_listen = platform.dapr_app_listen();
        change(&mut config);
        Self::started(config, folder, None).await
    }

    async fn started(mut config: Config, folder: TempDir, database: Option<TestDatabase>) -> Self {
        let function_key = FunctionKey::generate().unwrap();
        config.function_key = Some(function_key.private_pem().to_owned());
        let system = Some(System::start(&config).await.unwrap_or_else(|failure| panic!("{failure}")));
        Self { system, config, function_key, folder, held: None, _database: database }
    }

    /// Stops everything and starts it again on the same data.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
    }

    /// Stops everything; [`World::start`] brings it back at the same address.
    pub async fn stop(&mut self) {
        let Some(system) = self.system.take() else { return };
        self.config.listen = system.url().trim_start_matches("http://").parse().unwrap();
        system.stop().await.unwrap_or_else(|failure| panic!("{failure}"));
        // Bound and not listening: nobody is answered, and no other world is given the port meanwhile.
        let held = TcpSocket::new_v4().unwrap();
        held.set_reuseaddr(true).unwrap();
        held.bind(self.config.listen).unwrap();
        self.held = Some(held);
    }

    /// Starts what was stopped, on the same data.
    pub async fn start(&mut self) {
        self.system = Some(System::start(&self.config).await.unwrap_or_else(|failure| panic!("{failure}")));
        self.held = None;
    }

    /// A person who is signed in.
    pub fn person(&self, name: &str) -> Person {
        Person::new(self.url(), name, &self.token(name))
    }

    /// A function, called on behalf of a person as `chat` does it.
    pub fn function(&self, name: &str, person: &str) -> Function {
        let token = self.function_token(name, person);
        Function::new(&format!("{}/mcp", self.system().function_url(name)), name, person, &token)
    }

    /// What `chat` shows a function on behalf of a person, for a minute.
    pub fn function_token(&self, name: &str, person: &str) -> String {
        self.function_key.mint(&self.tenant(person), name).unwrap()
    }

    /// A development token.
    pub fn token(&self, name: &str) -> String {
        self.development_key().token(name, 600).unwrap()
    }

    /// Where the chat function listens: `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.system().url()
    }

    /// Where the system keeps its data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How it was configured.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What its functions are told of events.
    pub fn event_variables(&self) -> &EventVariables {
        self.system().event_variables()
    }

    /// Where a function answers.
    pub fn function_url(&self, name: &str) -> String {
        self.system().function_url(name)
    }

    fn system(&self) -> &System {
        self.system.as_ref().unwrap()
    }

    /// A person, as authentication makes one.
    pub fn tenant(&self, name: &str) -> Tenant {
        let keys = Keys::jwks(&self.development_key().public_jwks()).unwrap();
        Verifier::people(keys, DevelopmentKey::policy()).verify(&self.token(name)).unwrap()
    }

    fn development_key(&self) -> DevelopmentKey {
        DevelopmentKey::load_or_create(&self.config.development_key()).unwrap()
    }
}

/// Builds and compiles the components before the first world, so that the worlds of other threads do not all do it.
fn build_once() {
    static BUILT: Once = Once::new();
    let build = || {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let started = runtime.block_on(System::start(&config(folder.path())));
        drop(started.unwrap_or_else(|failure| panic!("{failure}")));
    };
    // A runtime cannot be started on a thread that drives another.
    BUILT.call_once(|| std::thread::spawn(build).join().unwrap());
}

/// The defaults of the command line, in the world's folder; compiled components are shared by all worlds.
fn config(folder: &Path) -> Config {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let command = Config::augment_args(clap::Command::new("todo"));
    let arguments = [
        "todo".into(),
        "--listen=127.0.0.1:0".into(),
        format!("--data={}", folder.display()),
        format!("--compiled={}", root.join("target/compiled").display()),
        format!("--manifest={}", root.join("spin.toml").display()),
        format!("--knative={}", root.join("knative").display()),
    ];
    let matches = command.try_get_matches_from(arguments).unwrap();
    let mut config = <Config as clap::FromArgMatches>::from_arg_matches(&matches).unwrap();
    // A developer's environment must not reach into the tests.
    (config.database_url, config.openai_api_key, config.openai_base_url) = (None, None, None);
    (config.dapr_http_endpoint, config.dapr_api_token, config.app_api_token) = (None, None, None);
    config
}
