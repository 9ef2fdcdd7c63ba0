//! Sends one request and brings back one answer, whole or as server-sent events.

use eventsource_stream::{EventStreamError, Eventsource};
use futures::{StreamExt, TryStreamExt};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Response, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Read;
use super::retry::{self, Failure};
use super::{OpenAiSettings, SettingsError};
use crate::{ModelAnswer, client_builder};

/// No answer about a to-do list is larger; what is, is a server gone mad.
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// The end of a Chat Completions stream.
const STREAM_END: &str = "[DONE]";

pub(super) struct Transport {
    client: Client,
    base_url: Url,
    headers: HeaderMap,
    stream: bool,
}

impl Transport {
    pub fn new(settings: &OpenAiSettings) -> Result<Self, SettingsError> {
        let base_url = Url::parse(&settings.base_url).map_err(|_| SettingsError::BaseUrl)?;
        let anonymous = base_url.username().is_empty() && base_url.password().is_none();
        if !matches!(base_url.scheme(), "http" | "https") || !anonymous {
            return Err(SettingsError::BaseUrl);
        }
        let silence = if settings.stream { settings.idle_timeout } else { settings.timeout };
        let client = client_builder(base_url.as_str())?
            .connect_timeout(settings.connect_timeout)
            .read_timeout(silence)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let headers = headers(settings, &base_url)?;
        Ok(Self { client, base_url, headers, stream: settings.stream })
    }

    /// Asks once.
    pub async fn ask<B: Serialize, R: Read>(
        &self,
        path: &str,
        body: &B,
        reader: R,
        on_delta: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ModelAnswer, Failure> {
        let response = self.send(path, body).await?;
        match self.stream {
            true => read_stream(response, reader, on_delta).await,
            false => read_whole(response, reader, on_delta).await,
        }
    }

    async fn send<B: Serialize>(&self, path: &str, body: &B) -> Result<Response, Failure> {
        let mut url = self.base_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        let request = self.client.post(url).headers(self.headers.clone()).json(body);
        let response = request.send().await.map_err(|error| not_begun(&error))?;
        match response.status().is_success() {
            true => Ok(response),
            false => Err(refused(response).await),
        }
    }
}

fn headers(settings: &OpenAiSettings, base_url: &Url) -> Result<HeaderMap, SettingsError> {
    let accept = if settings.stream { "text/event-stream" } else { "application/json" };
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
    let Some(key) = &settings.api_key else {
        return Ok(headers);
    };
    let secret = |text: &str| -> Result<HeaderValue, SettingsError> {
        let mut value = HeaderValue::from_str(text).map_err(|_| SettingsError::ApiKey)?;
        value.set_sensitive(true);
        Ok(value)
    };
    headers.insert(AUTHORIZATION, secret(&format!("Bearer {key}"))?);
    if base_url.query_pairs().any(|(name, _)| name == "api-version") {
        headers.insert("api-key", secret(key)?);
    }
    Ok(headers)
}

fn not_begun(error: &reqwest::Error) -> Failure {
    match error {
        _ if error.is_connect() => Failure::Connection("could not connect"),
        _ if error.is_timeout() => Failure::TimedOut("the beginning of the answer"),
        _ => Failure::Connection("lost before the answer"),
    }
}

fn broken_off(error: &reqwest::Error) -> Failure {
    match error.is_timeout() {
        true => Failure::TimedOut("the next part of the answer"),
        false => Failure::Cut,
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    error: Option<Value>,
}

async fn refused(response: Response) -> Failure {
    let status = response.status().as_u16();
    let retry_after = retry::retry_after(response.headers());
    let body = whole(response).await.unwrap_or_default();
    let told = serde_json::from_slice::<ErrorBody>(&body).ok().and_then(|body| body.error);
    let code = told.and_then(|error| error_code(&error));
    Failure::Status { status, code, retry_after }
}

/// `code`, or else `type`, of an error object: `invalid_api_key`, `model_not_found`.
pub(super) fn error_code(error: &Value) -> Option<String> {
    let text = |name| error.get(name).and_then(Value::as_str);
    retry::plain_code(text("code").or_else(|| text("type"))?)
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken_off(&error))? {
        body.extend_from_slice(&chunk);
        within_limit(body.len())?;
    }
    Ok(body)
}

fn within_limit(length: usize) -> Result<(), Failure> {
    match length <= LARGEST_ANSWER {
        true => Ok(()),
        false => Err(Failure::Garbled(format!("more than {LARGEST_ANSWER} bytes"))),
    }
}

async fn read_whole<R: Read>(
    response: Response,
    reader: R,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<ModelAnswer, Failure> {
    let body = whole(response).await?;
    let answer = reader.whole(serde_json::from_slice(&body).map_err(unreadable)?)?;
    if !answer.text.is_empty() {
        on_delta(&answer.text);
    }
    Ok(answer)
}

async fn read_stream<R: Read>(
    response: Response,
    mut reader: R,
    on_delta: &mut (dyn FnMut(&str) + Send),
) -> Result<ModelAnswer, Failure> {
    let mut events = std::pin::pin!(response.bytes_stream().eventsource().map_err(broken_event));
    let mut length = 0;
    while let Some(event) = events.next().await.transpose()? {
        if event.data == STREAM_END {
            break;
        }
        length += event.data.len();
        within_limit(length)?;
        let event: Value = serde_json::from_str(&event.data).map_err(unreadable)?;
        if let Some(error) = event.get("error").filter(|error| error.is_object()) {
            return Err(Failure::told(error_code(error)));
        }
        if reader.event(event, on_delta)? {
            break;
        }
    }
    reader.end()
}

fn broken_event(error: EventStreamError<reqwest::Error>) -> Failure {
    match error {
        EventStreamError::Transport(error) => broken_off(&error),
        EventStreamError::Utf8(_) => Failure::Garbled("not UTF-8".to_owned()),
        EventStreamError::Parser(_) => Failure::Garbled("not an event stream".to_owned()),
    }
}

/// Where reading stopped and why, without the text: `serde_json` quotes what it could not read.
pub(super) fn unreadable(error: serde_json::Error) -> Failure {
    let kind = error.classify();
    Failure::Garbled(format!("{kind:?} at line {} column {}", error.line(), error.column()))
}
