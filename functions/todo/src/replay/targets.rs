//! Where an event goes: what the manifests say, and nothing else.

use todo_sidecar::{Routes, Sink};

use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// A function, and the topics it reads.
pub struct Target {
    /// Its name, which is also its name in the inbox.
    pub function: String,
    /// Where it takes events.
    pub path: String,
    topics: Vec<String>,
}

impl Target {
    /// Whether events of this topic reach it.
    pub fn reads(&self, topic: &str) -> bool {
        self.topics.iter().any(|read| read == topic)
    }
}

/// The function of that name, or all that read topics.
pub fn targets(config: &Config, to: &str) -> Outcome<Vec<Target>> {
    let routes = Routes::load(&config.knative).map_err(|error| {
        Failure::usage(format!("{error}; name the folder of the manifests with --knative or TODO_KNATIVE"))
    })?;
    among(&routes, to)
}

fn among(routes: &Routes, to: &str) -> Outcome<Vec<Target>> {
    let target = |consumer: &todo_sidecar::Consumer| match &consumer.sink {
        Sink::Function { name, path } => Some(Target {
            function: name.to_string(),
            path: path.clone(),
            topics: consumer.topics.iter().map(ToString::to_string).collect(),
        }),
        Sink::Topic(_) => None,
    };
    let mut targets: Vec<_> = routes.consumers.iter().filter_map(|consumer| target(consumer)).collect();
    if to == "all" {
        return Ok(targets);
    }
    let known: Vec<_> = targets.iter().map(|target| target.function.clone()).collect();
    targets.retain(|target| target.function == to);
    match targets.is_empty() {
        false => Ok(targets),
        true => Err(Failure::usage(format!(
            "no manifest sends events to {to}; --to takes all, or one of {}",
            known.join(", ")
        ))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends where it fails")]
mod tests {
    use super::*;

    fn routes() -> Routes {
        Routes::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../knative")).unwrap()
    }

    #[test]
    fn an_event_goes_to_who_reads_its_topic() {
        let to = |topic: &str| {
            let all = among(&routes(), "all").unwrap();
            all.into_iter().filter(|target| target.reads(topic)).map(|it| it.function).collect::<Vec<_>>()
        };
        assert!(to("task-events").contains(&"event-record-audit".to_owned()));
        assert!(to("task-events").contains(&"event-repeat-task".to_owned()));
        assert!(!to("reminders").contains(&"event-repeat-task".to_owned()));
        assert!(to("nothing").is_empty());
    }

    #[test]
    fn who_reads_nothing_is_no_target_and_the_others_are_named() {
        let refused = among(&routes(), "event-unknown").err().unwrap().to_string();
        assert!(refused.contains("event-unknown") && refused.contains("event-push-update"), "{refused}");
        assert_eq!(among(&routes(), "event-repeat-task").unwrap().len(), 1);
    }
}
