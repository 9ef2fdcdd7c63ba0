use todo_events::{EventType, Topic};

use crate::samples::{self, Signer};

#[test]
fn every_name_is_read_back() {
    for topic in Topic::ALL {
        assert_eq!(Topic::parse(topic.as_str()), Some(topic));
        assert!(topic.purpose().ends_with('.'), "{topic}: {:?}", topic.purpose());
    }
    for event_type in EventType::all() {
        assert_eq!(EventType::parse(event_type.as_str()), Some(event_type));
        assert!(event_type.purpose().ends_with('.'), "{event_type}: {:?}", event_type.purpose());
    }
    assert_eq!(EventType::parse("task.exploded"), None);
}

#[test]
fn there_is_a_sample_of_every_type_on_every_topic() {
    let samples = samples::all(&Signer::new());
    for event_type in EventType::all() {
        for topic in event_type.topics() {
            let found = samples.iter().any(|(on, event)| on == topic && event["type"] == event_type.as_str());
            assert!(found, "{event_type} on {topic}");
        }
    }
}

#[test]
fn every_tool_of_the_manifest_can_be_called_by_event() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml");
    let manifest: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let functions = manifest["component"].as_table().unwrap().keys();
    let tools: Vec<_> = functions.filter_map(|name| name.strip_prefix("tool-")).collect();
    let callable: Vec<_> =
        todo_events::ToolName::ALL.iter().map(|tool| tool.as_str().replace('_', "-")).collect();
    assert_eq!(tools, callable);
}
