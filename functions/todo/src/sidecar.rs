//! What carries events and jobs in `todo up`: a sidecar of its own, or a real `daprd` with Kafka behind it; what the functions are
//! told of it, and a line for each event.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use todo_host::{Answer, Manifest, Nearby};
use todo_identity::EventKey;
use todo_sidecar::{About, Bridge, BridgeSettings, Local, Observation, Routes, Settings, Sidecar, Snapshot};
use tokio::net::TcpListener;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::config::{Config, Environment};
use crate::failure::{Failure, Outcome};
use crate::variables::{self, EventVariables};
use crate::{local, mail, serve};

/// What Dapr Jobs call when a job is due.
const JOB_FUNCTION: &str = "tick-fire-reminder";

/// The place of what carries events: its port is bound before the functions are loaded, because they are told it.
pub struct Place {
    listener: TcpListener,
    nearby: Nearby,
    variables: EventVariables,
}

impl Place {
    /// Binds the port, and makes the tokens that both sides know. With a `daprd` it is the port that `daprd` calls.
    pub async fn take(config: &Config) -> Outcome<Self> {
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let real = config.dapr_http_endpoint.is_some();
        let listener = serve::bind(if real { config.dapr_app_listen } else { anywhere }).await?;
        let address = listener.local_addr().map_err(Failure::internal)?;
        let key = match &config.event_key {
            Some(pem) => variables::event_key(pem)?,
            None => EventKey::load_or_create(&config.event_key_file()).map_err(Failure::unavailable)?,
        };
        // A real daprd has the token it was started with, or none; ours has a new one.
        let dapr_api_token = config.dapr_api_token.clone().or_else(|| (!real).then(random_token));
        let variables = EventVariables {
            dapr_url: config.dapr_http_endpoint.clone().or_else(|| Some(format!("http://{address}"))),
            dapr_api_token,
            // Functions want one always. A daprd without one calls this process, not them.
            app_api_token: config.app_api_token.clone().or_else(|| Some(random_token())),
            event_public_keys: Some(config.event_public_keys.clone().unwrap_or_else(|| key.public_jwks())),
            event_key: Some(key.private_pem().to_owned()),
            ..EventVariables::of(config).await?
        };
        if variables.reminder_email_to.is_some() && !real && config.smtp_url.is_none() {
            return Err(Failure::usage(
                "TODO_REMINDER_EMAIL_TO needs a mail server: set TODO_SMTP_URL and TODO_SMTP_FROM, or DAPR_HTTP_ENDPOINT to a sidecar that has one",
            ));
        }
        Ok(Self { listener, nearby: Nearby::at(address.to_string()), variables })
    }

    /// How functions of this process reach it.
    pub fn nearby(&self) -> Nearby {
        self.nearby.clone()
    }

    /// What the functions are told.
    pub fn variables(&self) -> EventVariables {
        self.variables.clone()
    }

    /// Opens what carries events to the functions of `manifest` behind `function_url`, which are in this process too. It
    /// delivers nothing before it is served.
    pub async fn open(
        self,
        config: &Config,
        manifest: &Manifest,
        function_url: &str,
        local: Local,
    ) -> Outcome<Opened> {
        let routes = routes(config, manifest)?;
        let carrier = match &config.dapr_http_endpoint {
            Some(dapr_url) => self.bridge(config, routes, function_url, local, dapr_url)?,
            None => self.embedded(config, routes, manifest, function_url, local).await?,
        };
        // A daprd does not know these functions by name.
        let functions = config.dapr_http_endpoint.as_ref().map(|_| function_url);
        self.tell_others(config, functions)?;
        if config.environment == Environment::Development {
            tokio::spawn(narrate(carrier.observe()));
        }
        Ok(Opened { carrier, listener: self.listener, variables: self.variables })
    }

    async fn embedded(
        &self,
        config: &Config,
        routes: Routes,
        manifest: &Manifest,
        function_url: &str,
        local: Local,
    ) -> Outcome<Carrier> {
        let sidecar = Sidecar::open(Settings {
            routes,
            local: Some(local),
            functions: manifest.components().iter().map(|component| component.id.clone()).collect(),
            job_function: Some(JOB_FUNCTION.to_owned()),
            api_token: self.variables.dapr_api_token.clone(),
            app_api_token: self.variables.app_api_token.clone(),
            email: mail::server(config)?,
            ..Settings::new(config.data.join("sidecar.db"), function_url)
        });
        let sidecar = sidecar.await.map_err(|error| {
            let folder = config.data.display();
            Failure::unavailable(format!("cannot open the sidecar's file in {folder}: {error}"))
        })?;
        let nearby = local::answer(sidecar.router());
        self.nearby.open(&nearby);
        Ok(Carrier::Embedded { sidecar: Arc::new(sidecar), _nearby: nearby })
    }

    fn bridge(
        &self,
        config: &Config,
        routes: Routes,
        function_url: &str,
        local: Local,
        dapr_url: &str,
    ) -> Outcome<Carrier> {
        let bridge = Bridge::new(BridgeSettings {
            routes,
            function_url: function_url.to_owned(),
            local: Some(local),
            job_function: Some(JOB_FUNCTION.to_owned()),
            dapr_url: dapr_url.to_owned(),
            pubsub: "pubsub".to_owned(),
            subscription: "pubsub-{consumer}".to_owned(),
            api_token: self.variables.dapr_api_token.clone(),
            app_api_token: config.app_api_token.clone(),
            function_token: self.variables.app_api_token.clone(),
        });
        Ok(Carrier::Dapr(bridge.map_err(Failure::internal)?))
    }

    /// Writes where the sidecar is and its token, for `todo replay` and its like; readable by this user only.
    fn tell_others(&self, config: &Config, functions: Option<&str>) -> Outcome {
        let file = config.running_file();
        let EventVariables { dapr_url, dapr_api_token, .. } = &self.variables;
        let told = json!({"url": dapr_url, "token": dapr_api_token, "functions": functions});
        private_file(&file, &told.to_string())
            .map_err(|error| Failure::unavailable(format!("cannot write {}: {error}", file.display())))
    }
}

/// What carries events and jobs.
#[derive(Clone)]
pub enum Carrier {
    /// In this process, durable in a file.
    Embedded {
        /// The sidecar.
        sidecar: Arc<Sidecar>,
        /// How functions reach it as long as it is there.
        _nearby: Answer,
    },
    /// A `daprd` beside it.
    Dapr(Bridge),
}

impl Carrier {
    /// Delivers, and answers on `listener`, until `stopped`.
    pub async fn serve(
        self,
        listener: TcpListener,
        stopped: WaitForCancellationFutureOwned,
    ) -> std::io::Result<()> {
        match self {
            Self::Embedded { sidecar, .. } => sidecar.serve(listener, stopped).await,
            Self::Dapr(bridge) => {
                bridge.start();
                axum::serve(listener, bridge.router()).with_graceful_shutdown(stopped).await
            }
        }
    }

    /// Ends the deliveries; what is under way finishes.
    pub async fn stop(&self) {
        match self {
            Self::Embedded { sidecar, .. } => sidecar.stop().await,
            Self::Dapr(bridge) => bridge.stop().await,
        }
    }

    /// What happens from now on.
    pub fn observe(&self) -> Receiver<Observation> {
        match self {
            Self::Embedded { sidecar, .. } => sidecar.observe(),
            Self::Dapr(bridge) => bridge.observe(),
        }
    }

    /// How things stand.
    pub async fn snapshot(&self) -> Outcome<Snapshot> {
        match self {
            Self::Embedded { sidecar, .. } => sidecar.snapshot().await.map_err(Failure::unavailable),
            Self::Dapr(bridge) => Ok(bridge.snapshot()),
        }
    }

    /// For a person to read.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Embedded { .. } => "embedded",
            Self::Dapr(_) => "daprd",
        }
    }
}

/// A carrier that is ready to be served.
pub struct Opened {
    /// Itself.
    pub carrier: Carrier,
    /// Where it will listen.
    pub listener: TcpListener,
    /// What its callers must know.
    pub variables: EventVariables,
}

/// Replaces the file: an older one may have other permissions.
fn private_file(file: &Path, text: &str) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())
}

/// The routes that the manifests describe; each must end at a function that exists.
fn routes(config: &Config, manifest: &Manifest) -> Outcome<Routes> {
    let folder = config.knative.display();
    let routes = Routes::load(&config.knative).map_err(|error| {
        Failure::usage(format!("{error}; name the folder of the manifests with --knative or TODO_KNATIVE"))
    })?;
    let known = |name: &str| manifest.components().iter().any(|component| component.id == name);
    match routes.functions().iter().find(|name| !known(name)) {
        Some(unknown) => Err(Failure::usage(format!(
            "the manifests in {folder} send events to {unknown}, which {} does not have",
            config.manifest.display()
        ))),
        None => Ok(routes),
    }
}

/// 122 random bits: nobody guesses it, and it lives as long as this process.
fn random_token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A line per event. Types and names only: the sidecar itself tells nothing else.
async fn narrate(mut observations: Receiver<Observation>) {
    loop {
        match observations.recv().await {
            Ok(observation) => say(&observation),
            Err(RecvError::Lagged(missed)) => tracing::info!(missed, "events were too many to tell of"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn say(observation: &Observation) {
    match observation {
        Observation::Published { .. } => {}
        Observation::Delivered { about: About { topic, kind, consumer, trace_id, .. }, attempt, latency } => {
            let ms = latency.as_millis();
            tracing::info!(trace_id = trace_id.as_deref(), %topic, attempt, ms, "{kind} → {consumer}");
        }
        Observation::Retried { about: About { kind, consumer, trace_id, .. }, attempt, status, wait } => {
            let trace_id = trace_id.as_deref();
            tracing::warn!(trace_id, attempt, status, "{kind} → {consumer} failed; again in {wait:.1?}");
        }
        Observation::DeadLettered { about: About { kind, consumer, trace_id, .. }, attempts, status } => {
            let trace_id = trace_id.as_deref();
            tracing::error!(
                trace_id,
                attempts,
                status,
                "{kind} → {consumer} given up; see `todo dead-letters list`"
            );
        }
        Observation::JobFired { status, late, trace_id, .. } => {
            let (trace_id, late_ms) = (trace_id.as_deref(), late.as_millis());
            tracing::info!(trace_id, status, late_ms, "a reminder's job fired");
        }
        Observation::Pinged { function, status } => tracing::debug!(status, "{function} was woken"),
    }
}
