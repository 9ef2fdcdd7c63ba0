//! One event of every type on every topic, as it is published.

use jiff::Timestamp;
use serde_json::{Value, json};
use todo_domain::{AddTask, Task, TaskId, arguments};
use todo_events::{Channel, Event, EventType, Origin, ToolName, Topic, sign};
use todo_identity::{EventKey, EventVerifier};

pub struct Signer {
    pub key: EventKey,
    pub verifier: EventVerifier,
}

impl Signer {
    pub fn new() -> Self {
        let key = EventKey::generate().unwrap();
        let verifier = EventVerifier::new(&key.public_jwks()).unwrap();
        Self { key, verifier }
    }

    pub fn publish(&self, event: &Event) -> Value {
        let origin = Origin {
            source: "tool-add-task".to_owned(),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        };
        let stored = event.cloud_event(&origin).to_string();
        serde_json::from_slice(&sign(&stored, &self.key).unwrap()).unwrap()
    }
}

pub fn now() -> Timestamp {
    "2026-11-21T09:00:00.25Z".parse().unwrap()
}

pub fn task() -> Task {
    let call = json!({
        "user_id": "alice", "title": "Water the plants 🌱", "description": "all of them", "due": "2026-11-27T09:00:00+01:00",
        "timezone": "Europe/Berlin", "repeat": "FREQ=WEEKLY;BYDAY=FR", "remind": ["-PT30M", "2026-11-26T08:00:00Z"],
        "priority": "high", "tags": ["home"],
    });
    arguments::parse::<AddTask>(call).unwrap().validate().unwrap().numbered(TaskId(7), now())
}

/// Every event that we make, numbered as the store does it.
pub fn events() -> Vec<Event> {
    let task = task();
    let mut done = task.clone();
    done.completed_at = Some(now());
    let mut renamed = task.clone();
    renamed.title = "Water the cactus".to_owned();
    let mut plain = task.clone();
    (plain.due, plain.repeat) = (None, None);

    let mut events = Event::created("alice", &task, now());
    events.extend(Event::changed("alice", &task, &renamed, now()));
    events.extend(Event::changed("alice", &task, &done, now()));
    events.extend(Event::changed("alice", &done, &task, now()));
    events.extend(Event::deleted("alice", &plain, now()));
    events.push(Event::access_refused("alice", "bob", "another person's id", now()));
    let at = "2026-11-21T08:59:59Z".parse().unwrap();
    let due = Event::reminder_due("alice", "reminder-0af7", &task, "-PT30M", at, now());
    events.push(Event::reminder_scheduled(
        "alice",
        "reminder-0af7",
        &plain,
        "2026-11-26T08:00:00Z",
        at,
        now(),
    ));
    events.push(Event::reminder_sent(&due, Channel::InApp, 1, now()));
    events.push(Event::reminder_failed(&due, Channel::Webhook, 5, now()));
    events.push(Event::reminder_shown(&due, now()));
    events.push(due);
    for tool in ToolName::ALL {
        let result = json!({"task_id": 7, "status": "created", "title": "Water the plants"});
        events.push(Event::tool_result("alice", tool, "call-1", false, result, now()));
    }
    for (event, sequence) in events.iter_mut().zip(1..) {
        event.sequence = Some(sequence);
    }
    events
}

/// A call as another program would write it.
pub fn call(tool: ToolName) -> Value {
    let event_type = EventType::ToolCall(tool).as_str();
    json!({
        "specversion": "1.0", "id": "c-1", "type": event_type, "source": "kcat", "time": "2026-11-21T09:00:00Z",
        "datacontenttype": "application/json", "partitionkey": "alice", "subject": "user/alice", "usertoken": "eyJh.eyJz.c2ln",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "data": {
            "event_id": "c-1", "event_type": event_type, "user_id": "alice", "timestamp": "2026-11-21T09:00:00Z",
            "payload": {"call_id": "mine:1", "arguments": {"title": "Buy milk", "tags": ["home"]}},
        },
    })
}

/// Every sample with its topic.
pub fn all(signer: &Signer) -> Vec<(Topic, Value)> {
    let made = events().into_iter().map(|event| (event.topic, signer.publish(&event)));
    made.chain(ToolName::ALL.map(|tool| (Topic::ToolCalls, call(tool)))).collect()
}
