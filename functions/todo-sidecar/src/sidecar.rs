//! The parts together.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::task::TaskTracker;

use crate::bindings::{Bindings, Mailer};
use crate::context::Context;
use crate::delivery::{self, Courier, Start, Worker};
use crate::invoke::Invoke;
use crate::jobs::{self, Agenda, Jobs};
use crate::log;
use crate::observe::{Observation, Snapshot};
use crate::router::router;
use crate::settings::Settings;
use crate::store::{Cursor, Store, StoreError};

/// Between two looks at what may be forgotten.
const SWEEP: Duration = Duration::from_secs(600);

/// Why there is no sidecar.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its file cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The HTTP client cannot be made.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The mail server's name cannot be used.
    #[error("the mail server: {0}")]
    Email(#[from] lettre::transport::smtp::Error),
}

/// A sidecar. Dropping it stops it without waiting, like a crash: what was acknowledged stays.
pub struct Sidecar {
    context: Arc<Context>,
    courier: Courier,
    agenda: Arc<Agenda>,
    mailer: Option<Arc<Mailer>>,
    positions: Vec<(Cursor, Arc<AtomicI64>)>,
    starts: std::sync::Mutex<Vec<(Start, Arc<AtomicI64>)>>,
    tasks: TaskTracker,
    started: AtomicBool,
}

impl Sidecar {
    /// Opens the file and finds out where everything stands. Nothing is delivered before [`start`](Self::start).
    ///
    /// # Errors
    /// When the file cannot be used, or a setting makes no sense.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        let (file, durability) = (settings.file.clone(), settings.durability);
        let opened = tokio::task::spawn_blocking(move || Store::open(&file, durability)).await;
        let store = opened.map_err(|_| StoreError::Stopped)??;
        let starts = delivery::starts(&store, &settings.routes).await?;
        let agenda = Arc::new(Agenda::load(&store).await?);
        let mailer = settings.email.as_ref().map(Mailer::new).transpose()?.map(Arc::new);
        let starts: Vec<_> = starts
            .into_iter()
            .map(|start| {
                let next = Arc::new(AtomicI64::new(start.next));
                (start, next)
            })
            .collect();
        let positions = starts.iter().map(|(start, next)| (start.cursor.clone(), next.clone())).collect();
        let courier = Courier::new()?.to(settings.local.clone());
        Ok(Self {
            context: Arc::new(Context::new(settings, store)),
            courier,
            agenda,
            mailer,
            positions,
            starts: std::sync::Mutex::new(starts),
            tasks: TaskTracker::new(),
            started: AtomicBool::new(false),
        })
    }

    /// Begins to deliver events, do jobs and wake functions. Again is nothing. The functions should answer by now: a connection
    /// that is refused is an attempt like any other.
    pub fn start(&self) {
        if self.started.swap(true, Ordering::SeqCst) {
            return;
        }
        let starts =
            std::mem::take(&mut *self.starts.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        for (start, next) in starts {
            self.tasks.spawn(Worker::new(self.context.clone(), self.courier.clone(), start, next).run());
        }
        for ping in &self.context.settings.routes.pings {
            let url = self.context.settings.url(&ping.function, &ping.path);
            let (observers, stop) = (self.context.observers.clone(), self.context.stop.clone());
            self.tasks.spawn(delivery::ping(ping.clone(), url, self.courier.clone(), observers, stop));
        }
        self.tasks.spawn(jobs::run(self.jobs(), self.courier.clone(), self.tasks.clone()));
        self.tasks.spawn(sweep(self.context.clone()));
    }

    /// Dapr's HTTP API.
    pub fn router(&self) -> Router {
        let bindings = Bindings { context: self.context.clone(), mailer: self.mailer.clone() };
        let invoke = Invoke { context: self.context.clone(), courier: self.courier.clone() };
        router(self.context.clone(), self.jobs(), bindings, invoke)
    }

    /// [Starts](Self::start), and serves the API until `shutdown` is done; requests under way then finish. To stop
    /// the deliveries too, call [`stop`](Self::stop) afterwards.
    ///
    /// # Errors
    /// Those of the listener.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        self.start();
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
    }

    /// Lets deliveries and jobs under way finish, begins no other, and closes the file.
    pub async fn stop(&self) {
        self.context.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.context.store.close().await;
    }

    /// What happens from now on. A receiver that is 1,024 observations behind misses some.
    pub fn observe(&self) -> broadcast::Receiver<Observation> {
        self.context.observers.subscribe()
    }

    /// How things stand. Reads the file: for a scrape, not for a loop.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let positions: Vec<_> = self
            .positions
            .iter()
            .map(|(cursor, next)| (cursor.clone(), next.load(Ordering::Relaxed)))
            .collect();
        let (size, lags) = self
            .context
            .store
            .read(move |sql| {
                let mut lags = Vec::with_capacity(positions.len());
                for (cursor, next) in positions {
                    lags.push((cursor.consumer, log::lag(sql, &cursor.topic, cursor.partition, next)?));
                }
                Ok((log::size(sql)?, lags))
            })
            .await?;
        let (pending, late) = jobs::standing(&self.context.store).await?;
        // After the file, so that nothing stands there that is not counted here.
        let mut snapshot = self.context.observers.counted();
        snapshot.log_size = size;
        for (consumer, lag) in lags {
            snapshot.consumers.entry(consumer.to_string()).or_default().lag += lag;
        }
        snapshot.jobs_pending = pending;
        snapshot.jobs_late = snapshot.jobs_late.max(late);
        Ok(snapshot)
    }

    fn jobs(&self) -> Jobs {
        Jobs { context: self.context.clone(), agenda: self.agenda.clone() }
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.context.stop.cancel();
    }
}

/// Forgets what everybody has seen, now and then.
async fn sweep(context: Arc<Context>) {
    let readers: Vec<_> = context
        .topics
        .iter()
        .map(|topic| {
            let reads =
                context.settings.routes.consumers.iter().filter(|consumer| consumer.topics.contains(topic));
            (topic.clone(), reads.map(|consumer| consumer.name.clone()).collect())
        })
        .collect();
    loop {
        match log::sweep(&context.store, &readers, context.settings.retention).await {
            Ok(0) => {}
            Ok(deleted) => tracing::debug!(deleted, "the log was swept"),
            Err(error) => tracing::error!("the log cannot be swept: {error}"),
        }
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            () = context.stop.cancelled() => return,
        }
    }
}
