//! What every part of a sidecar shares.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::observe::Observers;
use crate::settings::Settings;
use crate::store::Store;

pub(crate) struct Context {
    pub settings: Settings,
    pub store: Store,
    pub observers: Arc<Observers>,
    /// Told when no further work is to begin.
    pub stop: CancellationToken,
    /// Topics that exist.
    pub topics: BTreeSet<Arc<str>>,
    /// Functions that may be called.
    pub functions: BTreeSet<Arc<str>>,
}

impl Context {
    pub fn new(settings: Settings, store: Store) -> Self {
        let mut topics = settings.routes.topics();
        topics.extend(settings.topics.iter().map(|topic| topic.as_str().into()));
        let mut functions = settings.routes.functions();
        functions
            .extend(settings.functions.iter().chain(&settings.job_function).map(|name| name.as_str().into()));
        let (observers, stop) = (Arc::new(Observers::new()), CancellationToken::new());
        Self { settings, store, observers, stop, topics, functions }
    }
}
