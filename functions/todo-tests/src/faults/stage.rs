//! The system that is killed and started again, and what it stands on.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use fastrand::Rng;
use tempfile::TempDir;
use todo_identity::{DevelopmentKey, EventKey, FunctionKey, Keys, Verifier};
use todo_store::Database;
use todo_store::testing::TestDatabase;
use tokio::net::TcpSocket;
use tokio::time::sleep;

use crate::On;
use crate::client::Client;
use crate::door::{Door, Visitor};
use crate::frozen::freeze;
use crate::functions::Functions;
use crate::host::{Host, Recipe};
use crate::services::Services;
use crate::webhook::{self, Webhook};

/// Until the system answers again after a start.
const READY: Duration = Duration::from_secs(60);
/// Tokens outlive every run.
const TOKEN_SECONDS: u64 = 24 * 3_600;

/// All of it.
pub struct Stage {
    pub webhook: Webhook,
    folder: TempDir,
    recipe: Recipe,
    host: Option<Host>,
    functions: Functions,
    door: Door,
    database_url: String,
    services: Option<Services>,
    _postgres: Option<TestDatabase>,
    /// Keeps a port where nobody listens.
    _nowhere: TcpSocket,
    ended: Vec<String>,
}

/// Something that can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// `todo up`, and with it every function that runs in it at that moment.
    Host,
    /// A tool that runs on its own.
    Function(&'static str),
    /// A service of `ci/platform`.
    Service(&'static str),
}

impl Victim {
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "todo",
            Self::Function(name) | Self::Service(name) => name,
        }
    }
}

impl Stage {
    /// Builds what is stale, and starts everything.
    pub async fn set(on: On) -> anyhow::Result<Self> {
        let webhook = Webhook::listen().await?;
        let folder = tempfile::Builder::new().prefix("todo-faults-").tempdir()?;
        let defaults = [
            ("reminder_webhook_url", webhook.address.as_str()),
            ("reminder_webhook_host", webhook.address.as_str()),
            ("reminder_webhook_secret", webhook::SECRET),
        ];
        let frozen = freeze(folder.path(), &defaults)?;
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data)?;
        let key = FunctionKey::generate()?;
        let mut environment = vec![("TODO_FUNCTION_PUBLIC_KEYS", key.public_jwks())];
        // `todo up` finds it in the file; functions on their own are told.
        let event_key = EventKey::load_or_create(&data.join("event-key.pem"))?;
        let mut of_functions = vec![("TODO_EVENT_KEY", event_key.private_pem().to_owned())];
        let nowhere = TcpSocket::new_v4()?;
        nowhere.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        if on != On::Platform {
            // The embedded sidecar is for `todo up` alone: what they cannot publish is the relay's work.
            of_functions.push(("DAPR_HTTP_ENDPOINT", format!("http://{}", nowhere.local_addr()?)));
        }
        let (mut services, mut postgres) = (None, None);
        match on {
            On::EmbeddedSqlite => {}
            On::EmbeddedPostgres => {
                let database = TestDatabase::postgres().await.map_err(anyhow::Error::from_boxed)?;
                let database = database.context("there is no Postgres server")?;
                environment.push(("DATABASE_URL", database.url.clone()));
                postgres = Some(database);
            }
            On::Platform => {
                let started = Services::start().await?;
                environment.extend(started.environment());
                services = Some(started);
            }
        }
        let url = environment.iter().find(|(name, _)| *name == "DATABASE_URL").map(|(_, url)| url.clone());
        let database_url = url.unwrap_or_else(|| format!("sqlite:{}", data.join("todo.db").display()));
        let recipe = Recipe { frozen, folder: data, environment, of_functions };
        let mut stage = Self {
            webhook,
            folder,
            recipe,
            host: None,
            functions: Functions::new(key),
            door: Door::default(),
            database_url,
            services,
            _postgres: postgres,
            _nowhere: nowhere,
            ended: Vec::new(),
        };
        stage.keep_up().await?;
        Ok(stage)
    }

    /// What can be killed here, each kind as likely as another.
    pub fn victim(&self, rng: &mut Rng) -> Victim {
        let services: Vec<_> = self.services.iter().flat_map(|services| services.names()).collect();
        let functions: Vec<_> = self.functions.names().collect();
        match rng.usize(..services.len() + 2) {
            0 => Victim::Host,
            1 => rng.choice(functions).map_or(Victim::Host, Victim::Function),
            more => services.get(more - 2).map_or(Victim::Host, |name| Victim::Service(name)),
        }
    }

    /// Where people's calls come in that a kill would interrupt.
    pub fn visitor(&self, victim: Victim) -> Option<Visitor> {
        match victim {
            Victim::Host => Some(self.door.visitor()),
            Victim::Function(name) => self.functions.visitor(name),
            Victim::Service(_) => None,
        }
    }

    /// SIGKILL.
    pub async fn kill(&mut self, victim: Victim) -> anyhow::Result<()> {
        match victim {
            Victim::Host => {
                self.door.shut();
                self.notice();
                match self.host.take() {
                    Some(host) => host.kill().await,
                    None => Ok(()),
                }
            }
            Victim::Function(name) => {
                self.notice();
                self.functions.kill(name).await
            }
            Victim::Service(name) => {
                self.services.as_ref().context("there are no services here")?.kill(name).await;
                Ok(())
            }
        }
    }

    /// Kills `todo` so long after it was started, ready or not.
    pub async fn kill_at_start(&mut self, after: Duration) -> anyhow::Result<()> {
        let host = self.recipe.up()?;
        sleep(after).await;
        host.kill().await
    }

    /// Starts whatever does not run, and waits until the system answers.
    pub async fn keep_up(&mut self) -> anyhow::Result<()> {
        if let Some(services) = &self.services {
            services.keep_up().await;
        }
        self.notice();
        if self.host.is_none() {
            let mut host = self.recipe.up()?;
            let address = host.address().await.with_context(|| self.last_words())?;
            self.host = Some(host);
            ready(&address).await?;
            self.door.open(address);
        }
        // After `todo up`, which brings the database to its schema.
        self.functions.keep_up(&self.recipe).await.with_context(|| self.last_words())
    }

    /// Who ended by itself is written down: it is started again, and a violation.
    fn notice(&mut self) {
        if let Some(status) = self.host.as_mut().and_then(Host::ended) {
            self.ended.push(format!("todo up ended by itself: {status}\n{}", self.last_words()));
            self.host = None;
            self.door.shut();
        }
        for ended in self.functions.ended() {
            self.ended.push(format!("{ended}\n{}", self.last_words()));
        }
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(self.recipe.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("\n")
    }

    /// Who ended by themselves so far.
    pub fn ended(&self) -> &[String] {
        &self.ended
    }

    /// A person, and how they reach the tools.
    pub fn person(&self, name: &str) -> anyhow::Result<Client> {
        let key = DevelopmentKey::load_or_create(&self.recipe.folder.join("development-key.pem"))?;
        let token = key.token(name, TOKEN_SECONDS)?;
        let person =
            Verifier::people(Keys::jwks(&key.public_jwks())?, DevelopmentKey::policy()).verify(&token)?;
        Client::new(person, token, self.door.visitor(), self.functions.directory())
    }

    /// The system's database, past the system.
    pub async fn database(&self) -> anyhow::Result<Database> {
        Ok(Database::open(&self.database_url).await?)
    }

    pub fn is_sqlite(&self) -> bool {
        self.database_url.starts_with("sqlite:")
    }

    /// Stops everything. What is to be looked into stays, and is named.
    pub async fn strike(mut self, clean: bool) {
        if let Some(host) = self.host.take() {
            let _ = host.kill().await;
        }
        if !clean {
            let kept = self.folder.keep();
            eprintln!("what is left of it: {}", kept.display());
        }
    }
}

/// It listens before it has reached everything.
async fn ready(address: &str) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let begun = Instant::now();
    loop {
        let answer = http.get(format!("{address}/readyz")).send().await;
        match answer.map(|answer| answer.status()) {
            Ok(status) if status.is_success() => return Ok(()),
            other if begun.elapsed() > READY => bail!("todo up is not ready after {READY:?}: {other:?}"),
            _ => sleep(Duration::from_millis(20)).await,
        }
    }
}
