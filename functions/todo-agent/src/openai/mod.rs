//! An OpenAI-compatible model: OpenAI, Azure, Ollama, vLLM and whatever else speaks Chat Completions or Responses.
//!
//! Requests are `async-openai`'s types, which are the API's schema. They are sent and the answers read here, for three
//! reasons: that crate's client writes answers it cannot read to the log, and answers quote the conversation; it takes
//! an event it does not know for an error, and every compatible server has some; and it retries by itself, where a
//! request that has already shown words to a person must not be sent again.
//!
//! So the only retries are the ones in `retry`, and nothing is asked twice after the first word.

mod answer;
mod chat_completions;
mod rendering;
mod responses;
mod retry;
mod transport;

use std::fmt;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};

use crate::{Model, ModelAnswer, ModelError, ModelRequest};
use retry::Failure;
use transport::Transport;

/// OpenAI's own address.
pub const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// Which of the two APIs a server is asked by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Api {
    /// `POST {base}/chat/completions`: every compatible server has it.
    #[default]
    ChatCompletions,
    /// `POST {base}/responses`: OpenAI's newer one. Nothing is stored at the server (`store: false`).
    Responses,
}

/// How to reach a model, and for how long to try.
#[derive(Clone)]
pub struct OpenAiSettings {
    /// Which API.
    pub api: Api,
    /// The address before `/chat/completions` or `/responses`. A query is kept (`?api-version=…`: Azure's older form,
    /// for which the key is sent as `api-key` too).
    pub base_url: String,
    /// The key; none for servers that want none.
    pub api_key: Option<String>,
    /// The model's name.
    pub model: String,
    /// Words as they come, or the answer as a whole.
    pub stream: bool,
    /// Until the connection stands.
    pub connect_timeout: Duration,
    /// For one request, from its start to the last word.
    pub timeout: Duration,
    /// For silence within a stream.
    pub idle_timeout: Duration,
    /// How often to try again after 429, 5xx and lost connections.
    pub retries: u32,
    /// Before the first retry; doubles each time, and half of it is chance.
    pub backoff: Duration,
    /// The longest wait before a retry. A server that asks for more (`Retry-After`) is not waited for.
    pub longest_wait: Duration,
}

impl Default for OpenAiSettings {
    fn default() -> Self {
        Self {
            api: Api::default(),
            base_url: OPENAI_BASE_URL.to_owned(),
            api_key: None,
            model: "gpt-5-mini".to_owned(),
            stream: true,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(60),
            retries: 2,
            backoff: Duration::from_millis(500),
            longest_wait: Duration::from_secs(20),
        }
    }
}

/// Without the key, which must not reach a log, and without a query, which may hold one.
impl fmt::Debug for OpenAiSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.base_url.split('?').next().unwrap_or_default();
        formatter
            .debug_struct("OpenAiSettings")
            .field("api", &self.api)
            .field("base_url", &address)
            .field("model", &self.model)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// Settings no model can be reached with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not an `http` or `https` address, or one with a user name or password in it.
    #[error("the model's base URL must be an http(s) address without a user name, such as {OPENAI_BASE_URL}")]
    BaseUrl,
    /// The key holds characters a header cannot.
    #[error("the model's API key has characters that an HTTP header cannot hold; a line break at its end?")]
    ApiKey,
    /// The client could not be made.
    #[error("the HTTP client could not be made: {0}")]
    Client(#[from] reqwest::Error),
    /// TLS could not be set up.
    #[error("TLS could not be set up: {0}")]
    Tls(#[from] rustls::Error),
}

/// A model behind an OpenAI-compatible API.
pub struct OpenAi {
    settings: OpenAiSettings,
    transport: Transport,
}

/// The settings alone: the address within the client may hold a key.
impl fmt::Debug for OpenAi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("OpenAi").field(&self.settings).finish()
    }
}

impl OpenAi {
    /// Checks the settings and makes the client. Reaches out to nobody.
    pub fn new(settings: OpenAiSettings) -> Result<Self, SettingsError> {
        let transport = Transport::new(&settings)?;
        Ok(Self { settings, transport })
    }

    async fn attempt(
        &self,
        request: &ModelRequest,
        on_delta: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ModelAnswer, Failure> {
        let (model, stream) = (self.settings.model.as_str(), self.settings.stream);
        match self.settings.api {
            Api::ChatCompletions => {
                let body = chat_completions::request(model, stream, request);
                let reader = chat_completions::Reader::default();
                self.transport.ask("chat/completions", &body, reader, on_delta).await
            }
            Api::Responses => {
                let body = responses::request(model, stream, request);
                let reader = responses::Reader::default();
                self.transport.ask("responses", &body, reader, on_delta).await
            }
        }
    }

    async fn ask(
        &self,
        request: &ModelRequest,
        on_delta: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ModelAnswer, ModelError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut spoke = false;
            let mut tell = |delta: &str| {
                spoke = true;
                on_delta(delta);
            };
            let attempt = self.attempt(request, &mut tell);
            let limited = tokio::time::timeout(self.settings.timeout, attempt).await;
            let failure = match limited.unwrap_or(Err(Failure::TimedOut("the whole answer"))) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            // Words already shown cannot be taken back, and a second answer would begin with others.
            match retry::wait(&self.settings, attempts, &failure).filter(|_| !spoke) {
                Some(wait) => {
                    tracing::info!(%failure, attempts, ?wait, "asking the model again");
                    tokio::time::sleep(wait).await;
                }
                None => return Err(failure.into_error(attempts)),
            }
        }
    }
}

impl Model for OpenAi {
    fn name(&self) -> &str {
        &self.settings.model
    }

    fn answer<'a>(
        &'a self,
        request: &'a ModelRequest,
        on_delta: &'a mut (dyn FnMut(&str) + Send),
    ) -> BoxFuture<'a, Result<ModelAnswer, ModelError>> {
        self.ask(request, on_delta).boxed()
    }
}
