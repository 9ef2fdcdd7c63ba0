//! Which event reaches which function: read from the manifests that a cluster gets, and from nowhere else.
//!
//! `kustomization.yaml` names the files, as `kubectl apply -k` has it; a file beside them that it does not name is refused, because
//! it would do something here and nothing there, or the other way round. Understood are `KafkaSource`, `KafkaSink`, `Broker`,
//! `Trigger` and `PingSource`, with the fields this sidecar acts on. How a function runs in a cluster (Knative's `Service`, `ServiceAccount`,
//! `NetworkPolicy`) is passed over; any other kind or field is refused with its line. A `KafkaSource` with the annotation [`TOGETHER`] says
//! that its function takes several events in one request, which one that was not made for it might take for a single event.

mod delivery;
mod filter;
mod manifest;
mod read;
mod resolve;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

pub use delivery::{Backoff, Policy};
pub use filter::Filter;
pub use read::RoutesError;

use crate::jobs::Schedule;

/// The annotation that says how many events a function takes in one request, in CloudEvents' batched mode.
pub(crate) const TOGETHER: &str = "todo/events-together";

/// Everything that is delivered.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// In the order of the manifests.
    pub consumers: Vec<Arc<Consumer>>,
    /// Functions that the clock wakes.
    pub pings: Vec<Arc<Ping>>,
}

/// Who reads topics: a Kafka consumer group.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// The consumer group.
    pub name: Arc<str>,
    /// What it reads.
    pub topics: Vec<Arc<str>>,
    /// What of it is passed on.
    pub filter: Filter,
    /// Where it is passed on to.
    pub sink: Sink,
    /// How often and how patiently.
    pub policy: Policy,
    /// The topic of what could not be delivered. Without one it is dropped, as Knative does.
    pub dead_letters: Option<Arc<str>>,
    /// The topic of the events that a function answers with. Without one, answers do not matter.
    pub replies: Option<Arc<str>>,
    /// How many events it takes in one request when they wait.
    pub together: usize,
    /// A group that is new starts behind the newest record instead of with the oldest.
    pub latest: bool,
}

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sink {
    /// A function, at a path that starts with `/`.
    Function {
        /// Its Knative Service.
        name: Arc<str>,
        /// `/` unless the manifest says otherwise.
        path: String,
    },
    /// A topic (`KafkaSink`, or the topic behind a `Broker`).
    Topic(Arc<str>),
}

/// A function that the clock wakes.
#[derive(Clone, Debug)]
pub struct Ping {
    /// Of the `PingSource`.
    pub name: Arc<str>,
    /// When.
    pub schedule: Schedule,
    /// Which function.
    pub function: Arc<str>,
    /// At which path of it.
    pub path: String,
    /// The event's data, and its type.
    pub data: Option<(String, String)>,
}

impl Routes {
    /// Reads `kustomization.yaml` in `directory` and the manifests it names.
    ///
    /// # Errors
    /// Names the file, the line where it is known, and what to do.
    pub fn load(directory: impl AsRef<Path>) -> Result<Self, RoutesError> {
        read::load(directory.as_ref())
    }

    /// Reads manifests from memory: pairs of a file's name and its text.
    ///
    /// # Errors
    /// As [`Routes::load`].
    pub fn parse(files: &[(&str, &str)]) -> Result<Self, RoutesError> {
        read::parse(files)
    }

    /// Every topic that something is read from or written to.
    pub fn topics(&self) -> BTreeSet<Arc<str>> {
        let mut topics = BTreeSet::new();
        for consumer in &self.consumers {
            topics.extend(consumer.topics.iter().cloned());
            topics.extend(consumer.dead_letters.iter().chain(&consumer.replies).cloned());
            if let Sink::Topic(topic) = &consumer.sink {
                topics.insert(topic.clone());
            }
        }
        topics
    }

    /// Every function that something is delivered to.
    pub fn functions(&self) -> BTreeSet<Arc<str>> {
        let sinks = self.consumers.iter().filter_map(|consumer| match &consumer.sink {
            Sink::Function { name, .. } => Some(name.clone()),
            Sink::Topic(_) => None,
        });
        sinks.chain(self.pings.iter().map(|ping| ping.function.clone())).collect()
    }
}
