//! From documents to routes: references are followed, and what they name must exist.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::delivery::Policy;
use super::manifest::{Delivery, Destination, InitialOffset};
use super::read::{Documents, Found, RoutesError};
use super::{Consumer, Filter, Ping, Routes, Sink, TOGETHER};
use crate::jobs::Schedule;

/// Of larger requests a single mistake would cost too much.
const MOST_TOGETHER: usize = 64;

pub(super) fn routes(documents: &Documents) -> Result<Routes, RoutesError> {
    let mut routes = Routes::default();
    for source in &documents.sources {
        let delivery = source.spec.delivery.clone().unwrap_or_default();
        routes.consumers.push(Arc::new(Consumer {
            name: source.spec.consumer_group.as_str().into(),
            topics: source.spec.topics.iter().map(|topic| topic.as_str().into()).collect(),
            filter: Filter::default(),
            sink: sink(documents, source, &source.spec.sink)?,
            policy: Policy::of(&delivery).map_err(|problem| source.refuse(problem))?,
            dead_letters: dead_letters(documents, source, &delivery)?,
            replies: None,
            together: together(source)?,
            latest: source.spec.initial_offset == InitialOffset::Latest,
        }));
    }
    for trigger in &documents.triggers {
        let Some(broker) = documents.brokers.iter().find(|broker| broker.name == trigger.spec.broker) else {
            return Err(trigger.refuse(format!("there is no Broker `{}`", trigger.spec.broker)));
        };
        let topic = broker_topic(&broker.name);
        // A Trigger without rules of its own has its Broker's.
        let delivery =
            trigger.spec.delivery.clone().or_else(|| broker.spec.delivery.clone()).unwrap_or_default();
        routes.consumers.push(Arc::new(Consumer {
            name: trigger.name.as_str().into(),
            topics: vec![topic.clone()],
            filter: Filter::of(trigger.spec.filter.as_ref(), &trigger.spec.filters),
            sink: sink(documents, trigger, &trigger.spec.subscriber)?,
            policy: Policy::of(&delivery).map_err(|problem| trigger.refuse(problem))?,
            dead_letters: dead_letters(documents, trigger, &delivery)?,
            replies: Some(topic),
            together: 1,
            latest: false,
        }));
    }
    routes.pings =
        documents.pings.iter().map(|ping| self::ping(documents, ping)).collect::<Result<_, _>>()?;
    refuse_twins(documents)?;
    Ok(routes)
}

/// What the annotation says; one at a time without it.
fn together<S>(found: &Found<S>) -> Result<usize, RoutesError> {
    let Some(text) = found.annotations.get(TOGETHER) else { return Ok(1) };
    let number = text.parse().ok().filter(|number| (1..=MOST_TOGETHER).contains(number));
    number.ok_or_else(|| {
        found.refuse(format!("the annotation {TOGETHER} is to be a number from 1 to {MOST_TOGETHER}"))
    })
}

/// The topic that a Kafka Broker keeps its events in.
fn broker_topic(name: &str) -> Arc<str> {
    format!("knative-broker-{name}").into()
}

fn sink<S>(documents: &Documents, found: &Found<S>, destination: &Destination) -> Result<Sink, RoutesError> {
    let name = &destination.reference.name;
    match destination.reference.kind.as_str() {
        "Service" => {
            let path = destination.uri.clone().unwrap_or_else(|| "/".into());
            if !path.starts_with('/') {
                return Err(
                    found.refuse(format!("uri `{path}` is to be a path of {name} that starts with `/`"))
                );
            }
            Ok(Sink::Function { name: name.as_str().into(), path })
        }
        "KafkaSink" => match documents.sinks.iter().find(|sink| sink.name == *name) {
            Some(sink) => Ok(Sink::Topic(sink.spec.topic.as_str().into())),
            None => Err(found.refuse(format!("there is no KafkaSink `{name}`"))),
        },
        "Broker" => match documents.brokers.iter().any(|broker| broker.name == *name) {
            true => Ok(Sink::Topic(broker_topic(name))),
            false => Err(found.refuse(format!("there is no Broker `{name}`"))),
        },
        kind => {
            Err(found.refuse(format!("{kind} `{name}` cannot be a sink; a Service, KafkaSink or Broker can")))
        }
    }
}

fn dead_letters<S>(
    documents: &Documents,
    found: &Found<S>,
    delivery: &Delivery,
) -> Result<Option<Arc<str>>, RoutesError> {
    let Some(destination) = &delivery.dead_letter_sink else { return Ok(None) };
    match sink(documents, found, destination)? {
        Sink::Topic(topic) => Ok(Some(topic)),
        Sink::Function { name, .. } => Err(found.refuse(format!(
            "deadLetterSink is to be a KafkaSink, so that dead letters are durable; {name} can read its topic"
        ))),
    }
}

fn ping(documents: &Documents, found: &Found<super::manifest::PingSource>) -> Result<Arc<Ping>, RoutesError> {
    let spec = &found.spec;
    let Sink::Function { name, path } = sink(documents, found, &spec.sink)? else {
        return Err(found.refuse("a PingSource is to wake a Service"));
    };
    let schedule = Schedule::ping(&spec.schedule, spec.timezone.as_deref())
        .map_err(|problem| found.refuse(format!("schedule `{}`: {problem}", spec.schedule)))?;
    let kind = spec.content_type.clone().unwrap_or_else(|| "application/json".into());
    let data = spec.data.clone().map(|data| (kind, data));
    Ok(Arc::new(Ping { name: found.name.as_str().into(), schedule, function: name, path, data }))
}

/// Two readers under one name would share a position, and each would miss what the other saw.
fn refuse_twins(documents: &Documents) -> Result<(), RoutesError> {
    let mut names = BTreeSet::new();
    for source in &documents.sources {
        if !names.insert(source.spec.consumer_group.as_str()) {
            return Err(source.refuse(format!("consumerGroup `{}` is taken", source.spec.consumer_group)));
        }
    }
    for trigger in &documents.triggers {
        if !names.insert(trigger.name.as_str()) {
            return Err(trigger.refuse(format!("the name `{}` is taken by another consumer", trigger.name)));
        }
    }
    Ok(())
}
