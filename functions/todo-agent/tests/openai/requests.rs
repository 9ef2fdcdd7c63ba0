//! What is sent.

use serde_json::{Value, json};
use todo_agent::{Api, Item, OpenAi, OpenAiSettings, SettingsError, ToolOutcome};

use crate::answers::{TOKENS, calls, says};
use crate::server::{Server, WAYS};
use crate::{ask, full_request, plain_request};

#[tokio::test]
async fn a_conversation_with_everything_in_it_passes_the_strict_server() {
    for way in WAYS {
        let server = Server::playing(way, [says(way, "You are welcome.")]).await;
        let (answer, told) = ask(&server.model(), &full_request()).await;
        let answer = answer.unwrap();
        assert_eq!(
            (answer.text.as_str(), told.concat()),
            ("You are welcome.", answer.text.clone()),
            "{way:?}"
        );
        assert_eq!((answer.usage.input_tokens, answer.usage.output_tokens), TOKENS, "{way:?}");
        assert_eq!(told.len() > 1, way.stream, "{way:?}");
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_title_cannot_close_the_tag_its_result_stands_in() {
    for way in WAYS {
        let server = Server::playing(way, [says(way, "Fine.")]).await;
        ask(&server.model(), &full_request()).await.0.unwrap();
        let sent = server.requests()[0].to_string();
        // Three results, three closing tags: the title's is not among them. (The call's own arguments are the model's.)
        let results: Vec<&str> = sent.split("<tool_result").skip(1).collect();
        assert_eq!(results.len(), 3, "{way:?}");
        assert!(results.iter().all(|result| result.matches("</tool_result>").count() == 1), "{way:?}");
        assert!(sent.contains("<tool_result error="), "{way:?}");
    }
}

#[tokio::test]
async fn a_page_of_a_list_says_within_its_tags_how_to_get_the_next() {
    for way in WAYS {
        let server = Server::playing(way, [says(way, "There are more.")]).await;
        let mut request = full_request();
        let page = ToolOutcome::page(json!([{ "id": 9, "title": "Milch" }]), Some("c</tool_result>".into()));
        request.items[7] = Item::result("t-3", page);
        ask(&server.model(), &request).await.0.unwrap();
        let sent = &server.requests()[0];
        let items = sent.get("messages").or_else(|| sent.get("input")).and_then(Value::as_array).unwrap();
        let texts = items.iter().filter_map(|item| item.get("output").unwrap_or(&item["content"]).as_str());
        let within = |text: &str| -> Option<Value> {
            let json = text.strip_prefix("<tool_result>")?.strip_suffix("</tool_result>")?;
            serde_json::from_str(json).ok()
        };
        let told = texts.filter_map(within).find(|result| result.get("next_cursor").is_some());
        let expected = json!({ "next_cursor": "c</tool_result>", "tasks": [{ "id": 9, "title": "Milch" }] });
        assert_eq!(told, Some(expected), "{way:?}");
    }
}

#[tokio::test]
async fn one_call_and_several_calls_are_read() {
    let both = [("add_task", r#"{"title":"Milch \"frisch\" für 2 €"}"#), ("list_tasks", "{}")];
    for way in WAYS {
        for asked in [&both[..1], &both[..]] {
            let server = Server::playing(way, [calls(way, asked)]).await;
            let answer = ask(&server.model(), &full_request()).await.0.unwrap();
            let read: Vec<(&str, &str)> =
                answer.calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
            assert_eq!(read, asked, "{way:?}");
            assert_eq!(answer.text, "");
        }
    }
}

#[tokio::test]
async fn without_tools_nothing_is_said_about_them() {
    for way in WAYS {
        let server = Server::playing(way, [says(way, "Hi.")]).await;
        ask(&server.model(), &plain_request()).await.0.unwrap();
        let request = &server.requests()[0];
        assert!(request.get("tools").is_none() && request.get("tool_choice").is_none());
    }
}

#[tokio::test]
async fn the_last_word_forbids_calls_but_keeps_the_tools_known() {
    for way in WAYS {
        let server = Server::playing(way, [says(way, "Done.")]).await;
        let mut request = full_request();
        request.may_call_tools = false;
        ask(&server.model(), &request).await.0.unwrap();
        let sent = &server.requests()[0];
        assert_eq!((&sent["tool_choice"], sent["tools"].as_array().map(Vec::len)), (&json!("none"), Some(3)));
    }
}

#[tokio::test]
async fn a_server_without_keys_gets_no_authorization() {
    for way in WAYS {
        let server = Server::with_key(way, None, [says(way, "Hi.")].into()).await;
        ask(&server.model(), &plain_request()).await.0.unwrap();
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_responses_api_is_told_to_store_nothing() {
    for way in WAYS.into_iter().filter(|way| way.api == Api::Responses) {
        let server = Server::playing(way, [says(way, "Hi.")]).await;
        ask(&server.model(), &plain_request()).await.0.unwrap();
        assert_eq!(server.requests()[0]["store"], Value::Bool(false));
    }
}

#[test]
fn settings_that_cannot_work_are_refused_with_a_reason() {
    let with_url =
        |url: &str| OpenAi::new(OpenAiSettings { base_url: url.into(), ..OpenAiSettings::default() });
    for url in ["", "localhost:11434", "ftp://example.org", "mailto:a@b", "https://me:secret@example.org/v1"]
    {
        assert!(matches!(with_url(url), Err(SettingsError::BaseUrl)), "{url}");
    }
    assert!(with_url("https://example.org/v1").is_ok());
    let key = OpenAiSettings { api_key: Some("secret\n".into()), ..OpenAiSettings::default() };
    assert!(matches!(OpenAi::new(key), Err(SettingsError::ApiKey)));
}

#[test]
fn a_key_does_not_show_in_debug_output() {
    let settings = OpenAiSettings {
        api_key: Some("sk-secret".into()),
        base_url: "https://example.org/v1?key=sk-secret".into(),
        ..OpenAiSettings::default()
    };
    let shown = format!("{settings:?} {:?}", OpenAi::new(settings.clone()).unwrap());
    assert!(!shown.contains("sk-secret"), "{shown}");
}
