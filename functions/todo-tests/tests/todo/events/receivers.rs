//! Where reminders go: a webhook's receiver, which verifies signatures with the scheme's own library, and a mail server.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use jiff::Timestamp;
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OnceCell;

use super::stage::BEYOND;

pub const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// One for all scenes of the process.
pub struct Receivers {
    pub http: SocketAddr,
    pub smtp: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    hooks: Mutex<Vec<Hook>>,
    mails: Mutex<Vec<String>>,
    refused: Mutex<HashSet<String>>,
}

/// A reminder that the webhook brought.
#[derive(Clone, Debug)]
pub struct Hook {
    /// `webhook-id`.
    pub id: String,
    pub body: Value,
    pub at: Timestamp,
}

impl Hook {
    /// The title of the task that it reminds of.
    pub fn title(&self) -> &str {
        self.body["data"]["task"]["title"].as_str().unwrap()
    }
}

impl Receivers {
    pub async fn get() -> &'static Self {
        static RECEIVERS: OnceCell<Receivers> = OnceCell::const_new();
        RECEIVERS.get_or_init(|| async { BEYOND.spawn(Self::listen()).await.unwrap() }).await
    }

    async fn listen() -> Self {
        let seen = Arc::new(Seen::default());
        let hooks = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mails = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (http, smtp) = (hooks.local_addr().unwrap(), mails.local_addr().unwrap());
        let router = Router::new().route("/reminders", post(hook)).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(hooks, router).await });
        let seen_too = seen.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = mails.accept().await {
                tokio::spawn(take_mails(stream, seen_too.clone()));
            }
        });
        Self { http, smtp, seen }
    }

    /// What the webhook brought this person, oldest first.
    pub fn hooks_of(&self, person: &str) -> Vec<Hook> {
        let hooks = self.seen.hooks.lock().unwrap();
        hooks.iter().filter(|hook| hook.body["data"]["user_id"] == person).cloned().collect()
    }

    /// The mails to this person, each with its envelope.
    pub fn mails_of(&self, person: &str) -> Vec<String> {
        let to = format!("RCPT TO:<{person}@example.org>");
        self.seen.mails.lock().unwrap().iter().filter(|mail| mail.contains(&to)).cloned().collect()
    }

    /// From now on this person's webhooks are answered 503.
    pub fn refuse(&self, person: &str) {
        self.seen.refused.lock().unwrap().insert(person.to_owned());
    }

    /// And from now on they are taken again.
    pub fn take(&self, person: &str) {
        self.seen.refused.lock().unwrap().remove(person);
    }
}

async fn hook(State(seen): State<Arc<Seen>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if Webhook::new(SECRET).unwrap().verify(&body, &headers).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    if seen.refused.lock().unwrap().contains(body["data"]["user_id"].as_str().unwrap()) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let id = headers["webhook-id"].to_str().unwrap().to_owned();
    seen.hooks.lock().unwrap().push(Hook { id, body, at: Timestamp::now() });
    StatusCode::NO_CONTENT
}

/// As much SMTP as a client needs.
async fn take_mails(stream: TcpStream, seen: Arc<Seen>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 test\r\n").await?;
    let (mut text, mut in_data) = (String::new(), false);
    while let Some(line) = lines.next_line().await? {
        text.push_str(&line);
        text.push('\n');
        let answer: &[u8] = match (in_data, line.as_str()) {
            (true, ".") => {
                seen.mails.lock().unwrap().push(std::mem::take(&mut text));
                in_data = false;
                b"250 taken\r\n"
            }
            (true, _) => continue,
            (false, "DATA") => {
                in_data = true;
                b"354 go on\r\n"
            }
            (false, "QUIT") => b"221 bye\r\n",
            (false, _) => b"250 fine\r\n",
        };
        writer.write_all(answer).await?;
    }
    Ok(())
}
