//! The chat endpoint, from the outside.

use eventsource_stream::Eventsource as _;
use futures::StreamExt as _;
use reqwest::header::ACCEPT;
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde_json::{Value, json};

use super::message_of;
use crate::failure::{Failure, Outcome};

/// What a streamed turn says while it runs.
pub enum Event {
    /// A piece of the answer.
    Delta(String),
    /// A tool is being called.
    ToolCall(String),
    /// The whole answer, as the plain endpoint gives it.
    Done(Value),
    /// The turn failed.
    Error(String),
}

/// One person's conversation with one chat function.
pub struct Client {
    http: reqwest::Client,
    url: Url,
    token: String,
    conversation: Option<i64>,
    timezone: Option<String>,
}

impl Client {
    /// `base` is the chat function's address; the user is the token's.
    pub fn new(base: &str, token: String, conversation: Option<i64>) -> Outcome<Self> {
        let user = todo_identity::unverified_subject(&token).ok_or_else(|| {
            Failure::usage("the token is not a JWT with a `sub`; make one with `todo token <user>`")
        })?;
        let mut url = Url::parse(base).map_err(|error| {
            Failure::usage(format!("{base} is not an address: {error}; try http://127.0.0.1:8080"))
        })?;
        url.path_segments_mut()
            .map_err(|()| Failure::usage(format!("{base} cannot have a path; try http://127.0.0.1:8080")))?
            .pop_if_empty()
            .extend(["api", &user, "chat"]);
        let timezone = jiff::tz::TimeZone::system().iana_name().map(str::to_owned);
        let http = todo_agent::client_builder(url.as_str())
            .map_err(Failure::internal)?
            .build()
            .map_err(Failure::internal)?;
        Ok(Self { http, url, token, conversation, timezone })
    }

    /// One turn, answered whole.
    pub async fn ask(&mut self, message: &str) -> Outcome<Value> {
        let answer: Value = self.send(self.request(message)).await?.json().await.map_err(broken)?;
        self.conversation = answer["conversation_id"].as_i64();
        Ok(answer)
    }

    /// One turn, told piece by piece.
    pub async fn stream(&mut self, message: &str, mut tell: impl FnMut(Event)) -> Outcome {
        let request = self.request(message).header(ACCEPT, "text/event-stream");
        let mut events = self.send(request).await?.bytes_stream().eventsource();
        while let Some(event) = events.next().await {
            let event = event.map_err(broken)?;
            let data: Value = serde_json::from_str(&event.data).map_err(broken)?;
            match event.event.as_str() {
                "conversation" => self.conversation = data["conversation_id"].as_i64(),
                "delta" => tell(Event::Delta(text(&data["text"]))),
                "tool_call" => tell(Event::ToolCall(text(&data["name"]))),
                "done" => tell(Event::Done(data)),
                "error" => tell(Event::Error(message_of(&data).unwrap_or("the turn failed").to_owned())),
                _ => {}
            }
        }
        Ok(())
    }

    fn request(&self, message: &str) -> RequestBuilder {
        let mut body = json!({"message": message});
        if let Some(conversation) = self.conversation {
            body["conversation_id"] = json!(conversation);
        }
        if let Some(timezone) = &self.timezone {
            body["timezone"] = json!(timezone);
        }
        self.http.post(self.url.clone()).bearer_auth(&self.token).json(&body)
    }

    async fn send(&self, request: RequestBuilder) -> Outcome<Response> {
        let response = request.send().await.map_err(|_| {
            let address = self.url.origin().ascii_serialization();
            Failure::unavailable(format!(
                "nothing answers at {address}; start it with `todo up`, or name it with --url"
            ))
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let body: Value = response.json().await.unwrap_or_default();
        let said =
            message_of(&body).map_or_else(|| format!("the chat function answered {status}"), str::to_owned);
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::denied(said),
            status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Failure::data(said)
            }
            _ => Failure::unavailable(said),
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::unavailable(format!("the answer broke off: {error}; ask again, the conversation is kept"))
}
