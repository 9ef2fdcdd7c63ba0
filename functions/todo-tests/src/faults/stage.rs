//! The system that is killed and started again, and what it stands on.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use tempfile::TempDir;
use todo_identity::DevelopmentKey;
use todo_store::Database;
use todo_store::testing::TestDatabase;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::On;
use crate::frozen::freeze;
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
    address: watch::Sender<Option<String>>,
    database_url: String,
    services: Option<Services>,
    _postgres: Option<TestDatabase>,
    ended: Vec<String>,
}

/// Something that can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// `todo up`, and with it every function that runs at that moment.
    Host,
    /// A service of `ci/platform`.
    Service(&'static str),
}

impl Victim {
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "todo",
            Self::Service(name) => name,
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
        let mut environment = Vec::new();
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
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data)?;
        let url = environment.iter().find(|(name, _)| *name == "DATABASE_URL").map(|(_, url)| url.clone());
        let database_url = url.unwrap_or_else(|| format!("sqlite:{}", data.join("todo.db").display()));
        let recipe = Recipe { frozen, folder: data, environment };
        let address = watch::Sender::new(None);
        let mut stage = Self {
            webhook,
            folder,
            recipe,
            host: None,
            address,
            database_url,
            services,
            _postgres: postgres,
            ended: Vec::new(),
        };
        stage.keep_up().await?;
        Ok(stage)
    }

    /// What can be killed here.
    pub fn victims(&self) -> Vec<Victim> {
        let services = self.services.iter().flat_map(|services| services.names()).map(Victim::Service);
        std::iter::once(Victim::Host).chain(services).collect()
    }

    /// SIGKILL.
    pub async fn kill(&mut self, victim: Victim) -> anyhow::Result<()> {
        match victim {
            Victim::Host => {
                self.address.send_replace(None);
                self.notice();
                match self.host.take() {
                    Some(host) => host.kill().await,
                    None => Ok(()),
                }
            }
            Victim::Service(name) => {
                self.services.as_ref().context("there are no services here")?.kill(name).await;
                Ok(())
            }
        }
    }

    /// Kills `todo` so long after it was started, ready or not.
    pub async fn kill_at_start(&mut self, after: Duration) -> anyhow::Result<()> {
        let host = self.recipe.spawn()?;
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
            let mut host = self.recipe.spawn()?;
            let address = host.address().await.with_context(|| self.last_words())?;
            self.host = Some(host);
            ready(&address).await?;
            self.address.send_replace(Some(address));
        }
        Ok(())
    }

    /// Who ended by itself is written down: it is started again, and a violation.
    fn notice(&mut self) {
        if let Some(status) = self.host.as_mut().and_then(Host::ended) {
            self.ended.push(format!("todo up ended by itself: {status}\n{}", self.last_words()));
            self.host = None;
            self.address.send_replace(None);
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

    /// Where the system is at this moment; nothing while it is away.
    pub fn address(&self) -> watch::Receiver<Option<String>> {
        self.address.subscribe()
    }

    /// A person's token.
    pub fn token(&self, name: &str) -> anyhow::Result<String> {
        let key = DevelopmentKey::load_or_create(&self.recipe.folder.join("development-key.pem"))?;
        Ok(key.token(name, TOKEN_SECONDS)?)
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
