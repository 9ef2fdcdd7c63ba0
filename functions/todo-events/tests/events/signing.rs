//! A signature binds what an event says and nothing of how it is written.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use todo_events::{Event, EventType, Incoming, Origin, Rejected, SignError, data_sha256, sign};
use todo_identity::Refusal;

use crate::samples::{self, Signer, now};

fn verify(signer: &Signer, event: &str) -> Result<Event, Rejected> {
    let (tenant, event) = Incoming::from_json(event.as_bytes()).unwrap().verify(&signer.verifier)?;
    assert_eq!(tenant.user_id(), event.user_id);
    Ok(event)
}

#[test]
fn what_is_published_is_what_is_received() {
    let signer = Signer::new();
    for event in samples::events() {
        let published = signer.publish(&event);
        assert_eq!(verify(&signer, &published.to_string()).unwrap(), event, "{}", event.event_type);
    }
}

#[test]
fn the_canonical_form_is_that_of_the_rfc() {
    // RFC 8785 §3.2.2 and §3.2.3, and its appendix B.
    let data: Value = serde_json::from_str(
        r#"{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001, -0.0],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false],
            "\ufb33": 1, "\ud83d\ude00": 2, "\u20ac": 3, "\r": 4, "1": 5}"#,
    )
    .unwrap();
    let canonical = "{\"\\r\":4,\"1\":5,\"literals\":[null,true,false],\
        \"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],\
        \"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",\"€\":3,\"😀\":2,\"\u{fb33}\":1}";
    let digest = <sha2::Sha256 as sha2::Digest>::digest(canonical);
    assert_eq!(data_sha256(&data).as_slice(), digest.as_slice());
}

#[test]
fn an_event_that_was_changed_is_refused() {
    let signer = Signer::new();
    let event = signer.publish(&Event::created("alice", &samples::task(), now())[0]);
    for (pointers, value) in [
        (vec!["/id", "/data/event_id"], json!("another")),
        (vec!["/type", "/data/event_type"], json!("task.deleted")),
        (vec!["/partitionkey", "/data/user_id"], json!("bob")),
        (vec!["/time", "/data/timestamp"], json!("2026-11-21T09:00:00Z")),
        (vec!["/subject", "/data/task_id", "/data/payload/task/id"], json!(8)),
        (vec!["/data/payload/task/title"], json!("Burn the plants")),
    ] {
        let mut forged = event.clone();
        for pointer in &pointers {
            *forged.pointer_mut(pointer).unwrap() = value.clone();
        }
        if pointers[0] == "/subject" {
            forged["subject"] = json!("task/8");
        }
        let refused = verify(&signer, &forged.to_string());
        assert_eq!(refused, Err(Rejected::Signature(Refusal::Signature)), "{pointers:?}");
    }
}

#[test]
fn attributes_that_contradict_the_data_are_refused() {
    let signer = Signer::new();
    let event = signer.publish(&Event::created("alice", &samples::task(), now())[1]);
    for (pointer, value) in [
        ("/id", json!("another")),
        ("/type", json!("task.deleted")),
        ("/subject", json!("task/8")),
        ("/time", json!("2026-11-21T09:00:00Z")),
        ("/partitionkey", json!("bob")),
        ("/data/payload/task/id", json!(8)),
    ] {
        let mut forged = event.clone();
        *forged.pointer_mut(pointer).unwrap() = value;
        let refused = verify(&signer, &forged.to_string());
        assert!(matches!(refused, Err(Rejected::Contradiction(_))), "{pointer}: {refused:?}");
    }
}

#[test]
fn a_signature_of_another_event_or_of_nobody_is_refused() {
    let signer = Signer::new();
    let [event, other] =
        [now(), now()].map(|now| signer.publish(&Event::created("alice", &samples::task(), now)[0]));
    let mut forged = event.clone();
    forged["signature"] = other["signature"].clone();
    assert_eq!(verify(&signer, &forged.to_string()), Err(Rejected::Signature(Refusal::Signature)));
    forged["signature"] = json!("a.b.c");
    assert_eq!(verify(&signer, &forged.to_string()), Err(Rejected::Signature(Refusal::Malformed)));
    forged.as_object_mut().unwrap().remove("signature");
    assert!(matches!(verify(&signer, &forged.to_string()), Err(Rejected::Schema { part: "attributes", .. })));
    assert_eq!(verify(&Signer::new(), &event.to_string()), Err(Rejected::Signature(Refusal::UnknownKey)));
}

#[test]
fn a_broken_event_is_not_signed_and_not_repeated_in_the_error() {
    let signer = Signer::new();
    let event = &Event::created("alice", &samples::task(), now())[0];
    let stored = event.cloud_event(&Origin::of("tool-add-task"));
    for (pointer, value) in [
        ("/type", json!("secret.text")),
        ("/data/task_id", json!("secret text")),
        ("/data/payload", json!({"task": {"secret text": 1}})),
        ("/data", json!("secret text")),
        ("/id", json!("")),
    ] {
        let mut broken = stored.clone();
        *broken.pointer_mut(pointer).unwrap() = value;
        let error = sign(&broken.to_string(), &signer.key).unwrap_err();
        assert!(matches!(error, SignError::Unpublishable(_) | SignError::Malformed(_)), "{pointer}: {error}");
        assert!(!error.to_string().contains("secret"), "{pointer}: {error}");
    }
    assert!(sign("secret text", &signer.key).is_err());
}

#[test]
fn a_call_by_event_is_read_but_never_passes_for_a_signed_event() {
    let signer = Signer::new();
    let tool = todo_events::ToolName::AddTask;
    let incoming = Incoming::from_json(samples::call(tool).to_string().as_bytes()).unwrap();
    let call = incoming.tool_call().unwrap();
    assert_eq!((call.tool, call.call_id.as_str(), call.user_id.as_str()), (tool, "mine:1", "alice"));
    assert_eq!(call.user_token, "eyJh.eyJz.c2ln");
    assert_eq!(call.arguments["title"], "Buy milk");
    assert!(incoming.verify(&signer.verifier).is_err());

    // The least that is a call.
    let mut least = samples::call(tool);
    for name in ["subject", "time", "datacontenttype", "partitionkey", "traceparent"] {
        least.as_object_mut().unwrap().remove(name);
    }
    least["data"]["payload"].as_object_mut().unwrap().remove("call_id");
    let call = Incoming::from_json(least.to_string().as_bytes()).unwrap().tool_call().unwrap();
    assert_eq!(call.call_id, "c-1");
}

#[test]
fn a_persons_token_is_in_no_text_for_logs_or_storage() {
    let incoming =
        Incoming::from_json(samples::call(todo_events::ToolName::AddTask).to_string().as_bytes()).unwrap();
    let call = incoming.tool_call().unwrap();
    let stored = Value::Object(incoming.redacted()).to_string();
    for text in [stored, format!("{incoming:?}"), format!("{call:?}")] {
        assert!(!text.contains("eyJh"), "{text}");
    }
    for text in [format!("{incoming:?}"), format!("{call:?}")] {
        assert!(!text.contains("milk"), "{text}");
    }
    assert_eq!(incoming.structured()["usertoken"], "eyJh.eyJz.c2ln");
}

/// The same JSON as another program might write it: other order, spaces, escapes and numbers.
fn rewritten(value: &Value, dice: &mut dyn FnMut() -> u8) -> String {
    let space = |dice: &mut dyn FnMut() -> u8| [" ", "\n", "\t", ""][usize::from(dice() % 4)];
    match value {
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().map(|member| (dice(), member)).collect();
            members.sort_by_key(|(place, _)| *place);
            let members: Vec<_> = members
                .into_iter()
                .map(|(_, (name, value))| {
                    format!("{}{}:{}{}", space(dice), text(name, dice), space(dice), rewritten(value, dice))
                })
                .collect();
            format!("{{{}{}}}", members.join(","), space(dice))
        }
        Value::Array(list) => {
            let list: Vec<_> = list.iter().map(|value| rewritten(value, dice)).collect();
            format!("[{}{}]", list.join(","), space(dice))
        }
        Value::String(string) => text(string, dice),
        Value::Number(number) => match (number.as_i64(), dice() % 4) {
            (Some(whole), 0) => format!("{whole}.0"),
            (Some(whole), 1) => format!("{whole}e0"),
            (Some(whole), 2) => format!("{whole}0E-1"),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn text(string: &str, dice: &mut dyn FnMut() -> u8) -> String {
    let mut written = String::from("\"");
    for character in string.chars() {
        let plain = !matches!(character, '"' | '\\') && !character.is_control();
        if plain && !dice().is_multiple_of(4) {
            written.push(character);
        } else {
            let mut units = [0; 2];
            written.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04X}")));
        }
    }
    written + "\""
}

/// Any JSON that an answer of a tool may hold.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no infinities", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_that_was_written_anew_still_verifies(
        result in anything(), which in 0..32_usize, seed in prop::collection::vec(any::<u8>(), 64),
    ) {
        let signer = Signer::new();
        let mut event = samples::events().swap_remove(which % samples::events().len());
        if matches!(event.event_type, EventType::ToolResult(_)) {
            event.payload["result"] = result;
        }
        let published = signer.publish(&event);
        let mut rolls = seed.iter().copied().cycle();
        let written = rewritten(&published, &mut || rolls.next().unwrap_or_default());
        prop_assert!(verify(&signer, &written).is_ok(), "{written}");
    }

    #[test]
    fn an_answer_that_was_changed_is_refused(result in anything(), other in anything()) {
        let same = data_sha256(&result) == data_sha256(&other);
        prop_assume!(!same);
        let signer = Signer::new();
        let tool = todo_events::ToolName::ListTasks;
        let event = Event::tool_result("alice", tool, "call-1", false, result, now());
        let mut published = signer.publish(&event);
        published["data"]["payload"]["result"] = other;
        prop_assert_eq!(verify(&signer, &published.to_string()), Err(Rejected::Signature(Refusal::Signature)));
    }
}
