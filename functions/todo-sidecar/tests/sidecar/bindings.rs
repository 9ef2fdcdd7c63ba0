//! Secrets and e-mail.

use serde_json::json;
use todo_sidecar::{Email, Tls};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::world::{ROUTES, World, takes};

#[tokio::test]
async fn only_named_secrets_are_told() {
    let world = World::with(ROUTES, takes, |settings| {
        settings.secrets = [("SMTP_PASSWORD".to_owned(), "hush".to_owned())].into();
    })
    .await;
    assert_eq!(
        world.get("/v1.0/secrets/secrets/SMTP_PASSWORD").await,
        (200, json!({"SMTP_PASSWORD": "hush"}))
    );
    let (status, all) = world.get("/v1.0/secrets/secrets/bulk").await;
    assert_eq!((status, all), (200, json!({"SMTP_PASSWORD": {"SMTP_PASSWORD": "hush"}})));
    let (status, answer) = world.get("/v1.0/secrets/secrets/PATH").await;
    assert_eq!((status, answer["errorCode"].as_str()), (403, Some("ERR_PERMISSION_DENIED")));
    let (status, answer) = world.get("/v1.0/secrets/vault/SMTP_PASSWORD").await;
    assert_eq!((status, answer["errorCode"].as_str()), (401, Some("ERR_SECRET_STORE_NOT_FOUND")));
}

/// A mail server that takes one message.
async fn mail_server() -> (u16, oneshot::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, message) = oneshot::channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 test\r\n").await.unwrap();
        let (mut text, mut in_data) = (String::new(), false);
        while let Ok(Some(line)) = lines.next_line().await {
            text.push_str(&line);
            text.push('\n');
            let answer: &[u8] = match (in_data, line.as_str()) {
                (true, ".") => b"250 taken\r\n",
                (true, _) => continue,
                (false, "DATA") => b"354 go on\r\n",
                (false, "QUIT") => b"221 bye\r\n",
                (false, _) => b"250 fine\r\n",
            };
            in_data = (in_data || line == "DATA") && line != ".";
            writer.write_all(answer).await.unwrap();
            if line == "." {
                break;
            }
        }
        let _ = sender.send(text);
    });
    (port, message)
}

#[tokio::test]
async fn an_email_is_sent_through_the_binding() {
    let (port, message) = mail_server().await;
    let world = World::with(ROUTES, takes, |settings| {
        settings.email = Some(Email {
            tls: Tls::None,
            from: Some("todo@example.org".into()),
            ..Email::new("127.0.0.1", port)
        });
    })
    .await;
    let body = json!({"operation": "create", "data": "<p>Milk is due</p>",
                      "metadata": {"emailTo": "Alice <alice@example.org>;bob@example.org", "subject": "Reminder\r\nBcc: eve@example.org"}});
    let (status, answer) = world.post("/v1.0/bindings/email", body).await;
    assert_eq!(status, 204, "{answer}");
    let message = message.await.unwrap();
    for line in [
        "MAIL FROM:<todo@example.org>",
        "RCPT TO:<alice@example.org>",
        "RCPT TO:<bob@example.org>",
        "<p>Milk is due</p>",
    ] {
        assert!(message.contains(line), "{line} is not in\n{message}");
    }
    assert!(
        !message.contains("RCPT TO:<eve") && !message.contains("\nBcc:"),
        "no header is smuggled in:\n{message}"
    );
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_in_daprs_words() {
    let world =
        World::with(ROUTES, takes, |settings| settings.email = Some(Email::new("127.0.0.1", 1))).await;
    for (name, body, message) in [
        (
            "sms",
            json!({"operation": "create"}),
            "error invoking output binding sms: couldn't find output binding sms",
        ),
        (
            "email",
            json!({"data": 1}),
            "error invoking output binding email: operation field is missing from request",
        ),
        (
            "email",
            json!({"operation": "get"}),
            "error invoking output binding email: binding email does not support operation get.",
        ),
        (
            "email",
            json!({"operation": "create", "metadata": {"emailFrom": "a@b.c"}}),
            "emailTo property not supplied",
        ),
    ] {
        let (status, answer) = world.post(&format!("/v1.0/bindings/{name}"), body).await;
        assert_eq!((status, answer["errorCode"].as_str()), (500, Some("ERR_INVOKE_OUTPUT_BINDING")));
        assert!(answer["message"].as_str().unwrap().contains(message), "{answer}");
    }
    let without = World::new(takes).await;
    let (status, answer) = without.post("/v1.0/bindings/email", json!({"operation": "create"})).await;
    assert_eq!(
        (status, answer["message"].as_str().unwrap().contains("couldn't find output binding email")),
        (500, true)
    );
}
