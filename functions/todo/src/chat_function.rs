//! `todo chat`: the chat function alone. The same wiring serves `todo up`.

use std::sync::Arc;

use chat::{Chat, Environment, KeySource, Limits, People};
use todo_agent::{Api, Model, OPENAI_BASE_URL, Offline, OpenAi, OpenAiSettings};
use todo_identity::{DevelopmentKey, FunctionKey, Policy};
use todo_mcp::Tools;
use todo_store::Database;

use crate::config::{self, Config, OpenAiApi};
use crate::failure::{Failure, Outcome};
use crate::metrics::Sources;
use crate::stop::StopSignal;
use crate::{metrics, serve, telemetry};

/// Runs the command.
pub async fn run(config: Config) -> Outcome {
    telemetry::start(&config, "chat")?;
    let mut stop = StopSignal::listen()?;
    let listener = serve::bind(config.function_address()).await?;
    let key = config.function_key.as_deref().ok_or_else(|| {
        Failure::usage("TODO_FUNCTION_KEY is needed: the private key of function tokens; make one with: openssl genpkey -algorithm ed25519")
    })?;
    let key =
        FunctionKey::from_pem(key).map_err(|error| Failure::usage(format!("TODO_FUNCTION_KEY: {error}")))?;
    let url = config.tool_url.as_deref().ok_or_else(|| {
        Failure::usage("TODO_TOOL_URL is needed: where the tools are, such as http://{function}.todo.svc.cluster.local/mcp")
    })?;
    let tools =
        tools(url, serve::manifest(&config)?.components().iter().map(|component| component.id.clone()), key)?;
    let address = listener.local_addr().map_err(Failure::internal)?;
    let chat = open(&config, tools, &format!("http://{address}")).await?;
    let mut counted = metrics::registry();
    chat.register(&mut counted);
    // Of all processes chat alone always runs, so it tells what waits in the database that all share.
    let database = Some(database(&config.database_url()).await?);
    let system = metrics::system::Sources { database, ..Default::default() };
    let metrics = Sources { counted: Arc::new(counted), system, ..Sources::default() };
    let chat = chat.with_routes(metrics.router());
    tracing::info!(%address, "ready");
    chat::serve(listener, chat, async move { stop.received().await })
        .await
        .map_err(|error| Failure::unavailable(format!("chat stopped: {error}")))
}

/// Checks what `chat` is told by the environment; `url` is where it listens.
pub async fn open(config: &Config, tools: Tools, url: &str) -> Outcome<Chat> {
    let (keys, policy) = identity(config)?;
    let config = chat::Config {
        environment: environment(config),
        keys,
        policy,
        database: database(&config.database_url()).await?,
        tools,
        model: model(config)?,
        public_url: config.public_url.clone().or_else(|| Some(url.to_owned())),
        allowed_origins: config.allowed_origins.clone(),
        limits: Limits { drain: config.drain(), ..Limits::default() },
    };
    Chat::open(config).await.map_err(Failure::usage)
}

/// The tools among `functions`, behind a URL with `{function}` in it.
pub fn tools(url: &str, functions: impl IntoIterator<Item = String>, key: FunctionKey) -> Outcome<Tools> {
    // For the clients that others make in this process; the one below has its own.
    todo_agent::install_tls_provider();
    let http =
        todo_agent::client_builder(url).map_err(Failure::internal)?.build().map_err(Failure::internal)?;
    Tools::new(http, url, functions, key).map_err(|error| Failure::usage(format!("TODO_TOOL_URL: {error}")))
}

/// Which model answers, for a person to read.
pub fn describe_model(config: &Config) -> String {
    match (&config.openai_base_url, &config.openai_api_key) {
        (None, None) => "offline (set OPENAI_API_KEY or OPENAI_BASE_URL for another)".to_owned(),
        (base, _) => {
            let base = base.as_deref().unwrap_or(OPENAI_BASE_URL);
            format!("{} at {}", config.openai_model, base.split('?').next().unwrap_or_default())
        }
    }
}

/// Who knows people by their tokens.
pub async fn people(config: &Config) -> Outcome<People> {
    let (keys, policy) = identity(config)?;
    let refetch = Limits::default().refetch_keys;
    People::open(keys, policy, environment(config), refetch).await.map_err(Failure::usage)
}

fn environment(config: &Config) -> Environment {
    match config.environment {
        config::Environment::Development => Environment::Development,
        config::Environment::Production => Environment::Production,
    }
}

/// Where the keys of people's tokens come from. In development without an issuer it makes a key in the data folder.
pub(crate) fn identity(config: &Config) -> Outcome<(KeySource, Policy)> {
    let policy = Policy { issuer: config.jwt_issuer.clone(), audience: config.jwt_audience.clone() };
    let keys = match (&config.jwks_url, &config.jwks_file, &config.jwt_secret) {
        (Some(url), _, _) => KeySource::Url(url.clone()),
        (_, Some(file), _) => KeySource::File(file.clone()),
        (_, _, Some(secret)) => KeySource::Secret(secret.clone()),
        (None, None, None) => return development_identity(config),
    };
    Ok((keys, policy))
}

fn development_identity(config: &Config) -> Outcome<(KeySource, Policy)> {
    if config.environment == config::Environment::Production {
        return Err(Failure::usage(
            "in production people's tokens need an issuer: set TODO_JWKS_URL (or TODO_JWKS_FILE, TODO_JWT_SECRET), TODO_JWT_ISSUER and TODO_JWT_AUDIENCE",
        ));
    }
    config.prepare_data_folder()?;
    let key = DevelopmentKey::load_or_create(&config.development_key()).map_err(Failure::unavailable)?;
    Ok((KeySource::Development(key.public_jwks()), DevelopmentKey::policy()))
}

/// Opens the database, or says what to do.
pub async fn database(database_url: &str) -> Outcome<Database> {
    Database::open(database_url).await.map_err(|error| {
        Failure::unavailable(format!(
            "cannot open the database: {error}; check DATABASE_URL, and run `todo migrate` once"
        ))
    })
}

fn model(config: &Config) -> Outcome<Arc<dyn Model>> {
    if config.openai_api_key.is_none() && config.openai_base_url.is_none() {
        return Ok(Arc::new(Offline));
    }
    let settings = OpenAiSettings {
        api: match config.openai_api {
            OpenAiApi::Chat => Api::ChatCompletions,
            OpenAiApi::Responses => Api::Responses,
        },
        base_url: config.openai_base_url.clone().unwrap_or_else(|| OPENAI_BASE_URL.to_owned()),
        api_key: config.openai_api_key.clone(),
        model: config.openai_model.clone(),
        ..OpenAiSettings::default()
    };
    let model = OpenAi::new(settings).map_err(|error| Failure::usage(format!("OPENAI_…: {error}")))?;
    Ok(Arc::new(model))
}
