use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use todo_identity::Policy;

/// Everything `chat` needs to know. It reads no environment variables: the binary fills this in.
pub struct Config {
    /// How strict to be about identity.
    pub environment: Environment,
    /// What people's tokens are checked with.
    pub keys: KeySource,
    /// Which of those tokens are meant for us.
    pub policy: Policy,
    /// Conversations; migrated already.
    pub database: todo_store::Database,
    /// The five tool functions.
    pub tools: todo_mcp::Tools,
    /// Who answers.
    pub model: Arc<dyn todo_agent::Model>,
    /// Where people reach this server (`https://todo.example.com`), for the metadata of the MCP gateway and its check of
    /// the `Host` header. Without it the gateway answers on loopback names only.
    pub public_url: Option<String>,
    /// Web origins (`https://app.example.com`) whose pages may call; none but our own page by default.
    pub allowed_origins: Vec<String>,
    /// How much of everything.
    pub limits: Limits,
}

/// Where this runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// Somebody's own machine: a development key will do.
    Development,
    /// Anywhere else: a development key is refused, and tokens must name their issuer and audience.
    Production,
}

/// Where the keys for people's tokens come from.
#[derive(Clone)]
pub enum KeySource {
    /// A JWK set behind a URL; `https`, or `http` on loopback. Fetched again when a token names a key it lacks.
    Url(String),
    /// A JWK set in a file. Read again when a token names a key it lacks, so that a mounted file may rotate.
    File(PathBuf),
    /// A secret of at least 32 bytes shared with the issuer (HS256).
    Secret(String),
    /// The JWK set of a [`todo_identity::DevelopmentKey`].
    Development(String),
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Url(url) => write!(f, "Url({url})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Secret(_) => f.write_str("Secret(…)"),
            Self::Development(_) => f.write_str("Development"),
        }
    }
}

/// Every limit has a default that suits one small machine.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Turns of one person at once; more are answered 429.
    pub turns_per_person: usize,
    /// Turns at once in this process; more are answered 503.
    pub turns: usize,
    /// How long a turn may take, its waiting for the turn before it not counted.
    pub turn: Duration,
    /// How long a message waits for the turn before it in its conversation; then 503.
    pub wait_for_turn: Duration,
    /// How long a turn is another replica's after that replica fell silent.
    pub lease: Duration,
    /// How long turns may go on after the signal to stop.
    pub drain: Duration,
    /// The least time between two fetches of the JWK set.
    pub refetch_keys: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            turns_per_person: 4,
            turns: 256,
            turn: Duration::from_secs(120),
            wait_for_turn: Duration::from_secs(30),
            lease: Duration::from_secs(20),
            drain: Duration::from_secs(25),
            refetch_keys: Duration::from_secs(60),
        }
    }
}
