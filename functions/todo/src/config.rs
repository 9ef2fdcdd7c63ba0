//! The whole environment on one page. Every variable is also a flag; a `TODO_…` variable that is not here is refused,
//! because a setting with a typing error silently does nothing.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::failure::{Failure, Outcome};

/// Variables that only the tests read.
const TEST_PREFIX: &str = "TODO_TEST_";

/// What this process is told by its environment.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Configuration")]
pub struct Config {
    /// Where the data is: `postgres://user@host/database`, or `sqlite:<file>`. Default: `todo.db` in the data folder.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true)]
    pub database_url: Option<String>,
    /// The folder of everything this machine keeps: the SQLite file, the development key, compiled components.
    #[arg(long, env = "TODO_DATA", global = true, default_value = "data")]
    pub data: PathBuf,
    /// Where components that were compiled for this machine are kept. Default: `compiled` in the data folder.
    #[arg(long, env = "TODO_COMPILED", global = true)]
    pub compiled: Option<PathBuf>,
    /// The manifest that lists the components; relative paths in it start at its folder.
    #[arg(long, env = "TODO_MANIFEST", global = true, default_value = "spin.toml")]
    pub manifest: PathBuf,
    /// The folder of the manifests that say which event reaches which function.
    #[arg(long, env = "TODO_KNATIVE", global = true, default_value = "knative")]
    pub knative: PathBuf,
    /// Where people reach the chat function.
    #[arg(long, env = "TODO_LISTEN", global = true, default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The port of a function that runs alone; it listens on all addresses, as Knative wants. Overrides TODO_LISTEN.
    #[arg(long, env = "PORT", global = true)]
    pub port: Option<u16>,
    /// `development` trusts the key in the data folder; `production` refuses it, and wants an issuer and an audience.
    #[arg(long, env = "TODO_ENVIRONMENT", global = true, value_enum, default_value_t = Environment::Development)]
    pub environment: Environment,
    /// What is logged, in the syntax of tracing's EnvFilter.
    #[arg(long, env = "TODO_LOG", global = true, default_value = "info")]
    pub log: String,
    /// Where spans are collected: OTLP over HTTP, `http://host:4318`. Default: nowhere.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<String>,
    /// What that endpoint wants of its callers: `name=value,…`, the values percent-encoded.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        global = true,
        hide_env_values = true,
        requires = "otlp_endpoint"
    )]
    pub otlp_headers: Option<String>,

    /// The JWK set of the identity provider, by URL (Better Auth: https://…/api/auth/jwks).
    #[arg(long, env = "TODO_JWKS_URL", global = true, conflicts_with_all = ["jwks_file", "jwt_secret"])]
    pub jwks_url: Option<String>,
    /// The JWK set of the identity provider, as a file.
    #[arg(long, env = "TODO_JWKS_FILE", global = true, conflicts_with = "jwt_secret")]
    pub jwks_file: Option<PathBuf>,
    /// The secret shared with the identity provider (HS256), at least 32 bytes.
    #[arg(long, env = "TODO_JWT_SECRET", global = true, hide_env_values = true)]
    pub jwt_secret: Option<String>,
    /// The `iss` that tokens must carry.
    #[arg(long, env = "TODO_JWT_ISSUER", global = true)]
    pub jwt_issuer: Option<String>,
    /// The `aud` that tokens must carry.
    #[arg(long, env = "TODO_JWT_AUDIENCE", global = true)]
    pub jwt_audience: Option<String>,
    /// Web origins, comma-separated, whose pages may call the chat function from a browser.
    #[arg(long, env = "TODO_ALLOWED_ORIGINS", global = true, value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// How people reach the chat function from outside, for what it tells MCP clients. Default: the address it listens on.
    #[arg(long, env = "TODO_PUBLIC_URL", global = true)]
    pub public_url: Option<String>,

    /// Where the tools are; `{function}` stands for the function's name. `todo up` knows by itself.
    #[arg(long, env = "TODO_TOOL_URL", global = true)]
    pub tool_url: Option<String>,
    /// The private key of function tokens: Ed25519, PKCS#8 PEM. `todo up` makes one at every start.
    #[arg(long, env = "TODO_FUNCTION_KEY", global = true, hide_env_values = true)]
    pub function_key: Option<String>,
    /// The JWK set that functions verify function tokens with.
    #[arg(long, env = "TODO_FUNCTION_PUBLIC_KEYS", global = true)]
    pub function_public_keys: Option<String>,

    /// The private key that events are signed with: Ed25519, PKCS#8 PEM. Default for `todo up`: one kept in the data folder.
    #[arg(long, env = "TODO_EVENT_KEY", global = true, hide_env_values = true)]
    pub event_key: Option<String>,
    /// The JWK set that events are verified with. Default: the public half of TODO_EVENT_KEY.
    #[arg(long, env = "TODO_EVENT_PUBLIC_KEYS", global = true)]
    pub event_public_keys: Option<String>,
    /// Where a Dapr sidecar answers. Without one `todo up` carries events and jobs itself, durably and with the same API.
    #[arg(long, env = "DAPR_HTTP_ENDPOINT", global = true)]
    pub dapr_http_endpoint: Option<String>,
    /// For `todo up` with a Dapr sidecar: where that reaches this process (its `--app-port`).
    #[arg(long, env = "TODO_DAPR_APP_LISTEN", global = true, default_value = "127.0.0.1:3600")]
    pub dapr_app_listen: SocketAddr,
    /// What the sidecar wants of its callers. Default for `todo up`: a new one at every start.
    #[arg(long, env = "DAPR_API_TOKEN", global = true, hide_env_values = true)]
    pub dapr_api_token: Option<String>,
    /// What the sidecar says when it calls a function. Default for `todo up`: a new one at every start.
    #[arg(long, env = "APP_API_TOKEN", global = true, hide_env_values = true)]
    pub app_api_token: Option<String>,
    /// How many days the audit is kept. Default: for ever.
    #[arg(long, env = "TODO_AUDIT_RETENTION_DAYS", global = true, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub audit_retention_days: Option<u32>,

    /// Where reminders go by webhook: a URL (https, or http), called by the Standard Webhooks scheme.
    #[arg(long, env = "TODO_REMINDER_WEBHOOK_URL", global = true, requires = "reminder_webhook_secret")]
    pub reminder_webhook_url: Option<String>,
    /// What webhooks are signed with: `whsec_` and the base64 of 24 to 64 bytes.
    #[arg(
        long,
        env = "TODO_REMINDER_WEBHOOK_SECRET",
        global = true,
        hide_env_values = true,
        requires = "reminder_webhook_url"
    )]
    pub reminder_webhook_secret: Option<String>,
    /// Where reminders go by e-mail: an address, in which `{user_id}` is replaced.
    #[arg(long, env = "TODO_REMINDER_EMAIL_TO", global = true)]
    pub reminder_email_to: Option<String>,
    /// The sidecar's output binding (`bindings.smtp`) that sends them.
    #[arg(long, env = "TODO_REMINDER_EMAIL_BINDING", global = true, default_value = "email")]
    pub reminder_email_binding: String,
    /// For `todo up` without a Dapr sidecar: the mail server, `smtp://user:password@host:587` (STARTTLS), `smtps://…:465` (TLS), or with
    /// `?tls=none` unprotected. With a sidecar its binding says so.
    #[arg(
        long,
        env = "TODO_SMTP_URL",
        global = true,
        hide_env_values = true,
        requires = "smtp_from",
        conflicts_with = "dapr_http_endpoint"
    )]
    pub smtp_url: Option<String>,
    /// The sender of e-mails.
    #[arg(long, env = "TODO_SMTP_FROM", global = true, requires = "smtp_url")]
    pub smtp_from: Option<String>,

    /// The key of an OpenAI-compatible service. Without a key (and without OPENAI_BASE_URL) the offline model answers.
    #[arg(long, env = "OPENAI_API_KEY", global = true, hide_env_values = true)]
    pub openai_api_key: Option<String>,
    /// The address of an OpenAI-compatible service: OpenAI, Azure, Ollama, vLLM.
    #[arg(long, env = "OPENAI_BASE_URL", global = true)]
    pub openai_base_url: Option<String>,
    /// The model to ask.
    #[arg(long, env = "OPENAI_MODEL", global = true, default_value = "gpt-5-mini")]
    pub openai_model: String,
    /// Which API of it to speak.
    #[arg(long, env = "OPENAI_API", global = true, value_enum, default_value_t = OpenAiApi::Chat)]
    pub openai_api: OpenAiApi,

    /// How long a request that has begun may take after a signal to stop, in seconds.
    #[arg(long, env = "TODO_DRAIN_SECONDS", global = true, default_value_t = 10)]
    pub drain_seconds: u64,

    /// For `todo ask`: the token to send. Default: one made with the development key.
    #[arg(long, env = "TODO_TOKEN", global = true, hide_env_values = true)]
    pub token: Option<String>,
    /// For `todo ask`: where the chat function answers. Default: the address it listens on.
    #[arg(long, env = "TODO_URL", global = true)]
    pub url: Option<String>,
}

/// How careful to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// One person's machine.
    Development,
    /// Reachable by others.
    Production,
}

/// The two APIs that OpenAI-compatible services speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OpenAiApi {
    /// `/chat/completions`, which all of them have.
    Chat,
    /// `/responses`.
    Responses,
}

impl Config {
    /// The database to use, with the default filled in; a SQLite file always as `sqlite:<file>`.
    pub fn database_url(&self) -> String {
        match &self.database_url {
            Some(url) => url.replacen("sqlite://", "sqlite:", 1),
            None => format!("sqlite:{}", self.data.join("todo.db").display()),
        }
    }

    /// The file of the development key.
    pub fn development_key(&self) -> PathBuf {
        self.data.join("development-key.pem")
    }

    /// The file of the key that events are signed with.
    pub fn event_key_file(&self) -> PathBuf {
        self.data.join("event-key.pem")
    }

    /// The file in which a running system tells other commands on this machine how to reach its sidecar.
    pub fn running_file(&self) -> PathBuf {
        self.data.join("sidecar.json")
    }

    /// Where components that were compiled once are kept.
    pub fn compiled(&self) -> PathBuf {
        self.compiled.clone().unwrap_or_else(|| self.data.join("compiled"))
    }

    /// How long to wait for requests that have begun.
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }

    /// Where a function that runs alone listens: all addresses when `$PORT` says which port.
    pub fn function_address(&self) -> SocketAddr {
        self.port.map_or(self.listen, |port| SocketAddr::from(([0, 0, 0, 0], port)))
    }

    /// The address that `todo ask` talks to.
    pub fn chat_url(&self) -> String {
        self.url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// True when people's tokens come from elsewhere than this machine's development key.
    pub fn trusts_an_identity_provider(&self) -> bool {
        self.jwks_url.is_some() || self.jwks_file.is_some() || self.jwt_secret.is_some()
    }

    /// Makes the data folder and proves that it can be written.
    pub fn prepare_data_folder(&self) -> Outcome {
        let folder = self.data.display();
        let unusable = |error| {
            Failure::unavailable(format!(
                "cannot write to the data folder {folder}: {error}; make it writable, or name another with --data or TODO_DATA"
            ))
        };
        std::fs::create_dir_all(&self.data).map_err(unusable)?;
        let probe = self.data.join(".writable");
        std::fs::write(&probe, "").and_then(|()| std::fs::remove_file(&probe)).map_err(unusable)
    }
}

/// Refuses `TODO_…` variables that nothing reads; `command` has the arguments of [`Config`].
pub fn refuse_unknown_variables(
    variables: impl Iterator<Item = (OsString, OsString)>,
    command: &clap::Command,
) -> Outcome {
    let known: Vec<_> = command.get_arguments().filter_map(|argument| argument.get_env()).collect();
    let unknown = variables.filter_map(|(name, _)| name.into_string().ok()).find(|name| {
        name.starts_with("TODO_")
            && !name.starts_with(TEST_PREFIX)
            && !known.iter().any(|it| *it == name.as_str())
    });
    match unknown {
        Some(name) => Err(Failure::usage(format!(
            "the environment variable {name} means nothing here; `todo --help` lists those that do"
        ))),
        None => Ok(()),
    }
}
