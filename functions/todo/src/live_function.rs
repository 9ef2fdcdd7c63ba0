//! `todo live`: the live function alone, for Postgres. The same wiring serves `todo up`.

use std::sync::Arc;

use chat::People;
use live::{Announcer, Feed, Limits, Live};
use todo_sidecar::Observation;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::metrics::Sources;
use crate::stop::StopSignal;
use crate::{chat_function, metrics, serve, telemetry};

/// The consumer whose commits open pages wait for.
const PUSHER: &str = "event-push-update";

/// Runs the command.
pub async fn run(config: Config) -> Outcome {
    telemetry::start(&config, "live")?;
    let mut stop = StopSignal::listen()?;
    let listener = serve::bind(config.function_address()).await?;
    let url = config.database_url();
    if serve::postgres_host(&url).is_none() {
        return Err(Failure::usage(
            "todo live needs Postgres, which tells it of updates: set DATABASE_URL=postgres://…; with SQLite `todo up` has it built in",
        ));
    }
    let people = Arc::new(chat_function::people(&config).await?);
    let live = open(&config, people, Feed::postgres(url)).await?;
    let system = metrics::system::Sources { live: Some(live.clone()), ..Default::default() };
    let metrics = Sources { system, ..Sources::default() };
    tracing::info!("ready");
    live::serve(listener, live, metrics.router(), async move { stop.received().await })
        .await
        .map_err(|error| Failure::unavailable(format!("live stopped: {error}")))
}

/// Checks what `live` is told by the environment.
pub async fn open(config: &Config, people: Arc<People>, feed: Feed) -> Outcome<Live> {
    Live::open(live::Config {
        people,
        database: chat_function::database(&config.database_url()).await?,
        feed,
        allowed_origins: config.allowed_origins.clone(),
        limits: Limits { drain: config.drain(), ..Limits::default() },
    })
    .map_err(Failure::usage)
}

/// SQLite has no way to tell another connection of a commit; the sidecar knows when the function that made it has answered.
/// What it is too late to say is in the database all the same, and found with the next announcement or reconnection.
pub async fn announce(mut observations: Receiver<Observation>, announcer: Announcer) {
    loop {
        match observations.recv().await {
            Ok(Observation::Delivered { about, .. }) if &*about.consumer == PUSHER => {
                if let Some(person) = about.key {
                    announcer.announce(&*person);
                }
            }
            Err(RecvError::Closed) => return,
            Ok(_) | Err(RecvError::Lagged(_)) => {}
        }
    }
}
