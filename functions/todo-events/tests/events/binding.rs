//! CloudEvents over HTTP, in every form in which Knative, Dapr and people send them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use todo_events::{Event, Failure, Incoming, Malformed, Rejected};

use crate::samples::{self, Signer, now};

fn headers(headers: &[(&str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    headers.iter().map(header).collect()
}

fn binary(extra: &[(&str, &str)]) -> HeaderMap {
    let mut all = vec![("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-type", "a.b"), ("ce-source", "kcat")];
    all.extend(extra);
    headers(&all)
}

/// Our event as a KafkaSource or a broker in binary mode posts it.
fn in_binary_mode(event: &Value) -> (HeaderMap, Vec<u8>) {
    let object = event.as_object().unwrap();
    let mut headers = headers(&[("content-type", "application/json; charset=utf-8")]);
    for (name, value) in
        object.iter().filter(|(name, _)| !["data", "datacontenttype"].contains(&name.as_str()))
    {
        let value: String = value
            .as_str()
            .unwrap()
            .bytes()
            .map(|byte| match byte {
                b'!' | b'#'..=b'$' | b'&'..=b'~' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            })
            .collect();
        headers.insert(format!("ce-{name}").parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    (headers, event["data"].to_string().into_bytes())
}

#[test]
fn both_modes_carry_the_same_event() {
    let signer = Signer::new();
    for user_id in ["alice", "josé|оля 🦀 100%"] {
        let event = Event::created(user_id, &samples::task(), now()).swap_remove(0);
        let published = signer.publish(&event);
        let structured = headers(&[("content-type", "Application/CloudEvents+JSON; charset=UTF-8")]);
        let received = Incoming::read(&structured, published.to_string().as_bytes()).unwrap();
        assert_eq!(received.verify(&signer.verifier).unwrap().1, event);
        let (headers, body) = in_binary_mode(&published);
        let received = Incoming::read(&headers, &body).unwrap();
        assert_eq!(received.verify(&signer.verifier).unwrap().1, event);
        assert_eq!(Value::Object(received.structured()), published);
    }
}

#[test]
fn a_record_that_knative_did_not_recognise_is_unwrapped() {
    let signer = Signer::new();
    let event = Event::created("alice", &samples::task(), now()).swap_remove(0);
    let published = signer.publish(&event);
    let mut wrapping = binary(&[("content-type", "application/octet-stream"), ("ce-key", "alice")]);
    wrapping.insert("ce-type", HeaderValue::from_static("dev.knative.kafka.event"));
    let received = Incoming::read(&wrapping, published.to_string().as_bytes()).unwrap();
    assert_eq!(received.verify(&signer.verifier).unwrap().1, event);

    let encoded = BASE64_STANDARD.encode(published.to_string());
    for data in [("data", published.clone()), ("data_base64", json!(encoded))] {
        let mut wrapping = json!({"specversion": "1.0", "id": "partition:0/offset:1", "type": "dev.knative.kafka.event", "source": "/a#t"});
        wrapping[data.0] = data.1;
        let received = Incoming::from_json(wrapping.to_string().as_bytes()).unwrap();
        assert_eq!(received.verify(&signer.verifier).unwrap().1, event);
    }
    // Only once, and only under that type.
    let twice = json!({"specversion": "1.0", "id": "1", "type": "dev.knative.kafka.event", "source": "/a", "data":
        {"specversion": "1.0", "id": "2", "type": "dev.knative.kafka.event", "source": "/a", "data": published}});
    assert_eq!(Incoming::from_json(twice.to_string().as_bytes()).unwrap().id(), "2");
    let received = Incoming::read(&binary(&[]), published.to_string().as_bytes()).unwrap();
    assert_eq!(received.verify(&signer.verifier), Err(Rejected::Type));
}

#[test]
fn header_values_are_unquoted_and_then_decoded_once() {
    for (written, read) in [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ("\"a \\\"b\\\" %25\"", "a \"b\" %"),
        ("%2525", "%25"),
        ("100%", "100%"),
        ("%zz", "%zz"),
        ("a+b", "a+b"),
        ("\"", "\""),
        ("€", "€"),
    ] {
        let received = Incoming::read(&binary(&[("ce-subject", written)]), b"{}").unwrap();
        assert_eq!(received.attribute("subject"), Some(read), "{written}");
    }
    for written in ["%FF", "%C3%28"] {
        let refused = Incoming::read(&binary(&[("ce-subject", written)]), b"{}");
        assert_eq!(refused, Err(Malformed::Header), "{written}");
    }
    let mut latin = binary(&[]);
    latin.insert("ce-subject", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    assert_eq!(Incoming::read(&latin, b"{}"), Err(Malformed::Header));
}

#[test]
fn what_is_no_event_is_malformed() {
    let structured = headers(&[("content-type", "application/cloudevents+json")]);
    let read = |body: &Value| Incoming::read(&structured, body.to_string().as_bytes());
    let good = json!({"specversion": "1.0", "id": "1", "type": "a.b", "source": "kcat"});
    assert!(read(&good).is_ok());
    for name in ["specversion", "id", "type", "source"] {
        for value in [json!(null), json!(""), json!(1), json!("0.3")] {
            let mut event = good.clone();
            event[name] = value.clone();
            if name == "specversion" || value != "0.3" {
                assert_eq!(read(&event), Err(Malformed::Attributes), "{name} = {value}");
            }
        }
    }
    assert_eq!(read(&json!([good])), Err(Malformed::Json));
    assert_eq!(Incoming::read(&structured, b"{"), Err(Malformed::Json));
    let both = json!({"specversion": "1.0", "id": "1", "type": "a.b", "source": "k", "data": 1, "data_base64": "MQ=="});
    assert_eq!(read(&both), Err(Malformed::TwiceData));
    let broken = json!({"specversion": "1.0", "id": "1", "type": "a.b", "source": "k", "data_base64": "&"});
    assert_eq!(read(&broken), Err(Malformed::Json));

    let json = headers(&[("content-type", "application/json")]);
    assert_eq!(Incoming::read(&json, good.to_string().as_bytes()), Err(Malformed::NotAnEvent));
    assert_eq!(Incoming::read(&HeaderMap::new(), b""), Err(Malformed::NotAnEvent));
    let batch = headers(&[("content-type", "application/cloudevents-batch+json")]);
    assert_eq!(Incoming::read(&batch, b"[]"), Err(Malformed::Batch));
    let mut twice = binary(&[]);
    twice.append("ce-id", HeaderValue::from_static("2"));
    assert_eq!(Incoming::read(&twice, b"{}"), Err(Malformed::Header));
    let mut without = binary(&[]);
    without.remove("ce-source");
    assert_eq!(Incoming::read(&without, b"{}"), Err(Malformed::Attributes));
}

#[test]
fn data_that_is_not_json_is_kept_for_the_dead_letters_and_refused_by_everyone_else() {
    let signer = Signer::new();
    let known = [("ce-type", "task.created"), ("content-type", "text/plain")];
    let mut headers = binary(&known[1..]);
    headers.insert("ce-type", HeaderValue::from_static("task.created"));
    let received = Incoming::read(&headers, b"\xff\xfe").unwrap();
    assert_eq!(received.structured()["data_base64"], "//4=");
    assert!(received.verify(&signer.verifier).is_err());
    let again = Incoming::from_json(Value::Object(received.structured()).to_string().as_bytes()).unwrap();
    assert_eq!(again, received);
}

#[test]
fn a_dead_letter_says_why_it_failed_in_both_modes() {
    let failure = Failure {
        destination: Some("http://event-repeat-task/".to_owned()),
        code: Some(422),
        answer: Some("no such task".to_owned()),
    };
    let structured = json!({
        "specversion": "1.0", "id": "1", "type": "a.b", "source": "k", "knativeerrordest": "http://event-repeat-task/",
        "knativeerrorcode": 422, "knativeerrordata": "no such task",
    });
    assert_eq!(Incoming::from_json(structured.to_string().as_bytes()).unwrap().failure(), failure);
    let binary = binary(&[
        ("ce-knativeerrordest", "http://event-repeat-task/"),
        ("ce-knativeerrorcode", "422"),
        ("ce-knativeerrordata", "no%20such%20task"),
    ]);
    assert_eq!(Incoming::read(&binary, b"{}").unwrap().failure(), failure);
    assert_eq!(Incoming::read(&super::binding::binary(&[]), b"{}").unwrap().failure().code, None);
}

#[test]
fn a_trace_that_is_not_well_formed_is_none() {
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (written, read) in [(good, Some(good)), ("00-xyz", None), ("", None), (&good.to_uppercase(), None)] {
        let received = Incoming::read(&binary(&[("ce-traceparent", written)]), b"{}").unwrap();
        assert_eq!(received.traceparent(), read, "{written}");
    }
}
