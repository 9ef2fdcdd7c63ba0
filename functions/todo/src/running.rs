//! The system that runs, as another command on this machine reaches it: through its sidecar.
//!
//! `todo up` writes where that is, and its token, to a file that only this user can read. DAPR_HTTP_ENDPOINT and DAPR_API_TOKEN name
//! another one.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::config::Config;
use crate::failure::{Failure, Outcome};

/// As long as a delivery has.
const DEADLINE: Duration = Duration::from_secs(60);

/// The waits between attempts at what may succeed later.
const WAITS: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// A sidecar that answers.
pub struct Running {
    http: reqwest::Client,
    told: Told,
}

/// What `todo up` writes.
#[derive(Deserialize)]
struct Told {
    url: String,
    token: Option<String>,
    /// Where the functions are (a URL with `{function}`), for a `daprd` that does not know them by name.
    functions: Option<String>,
}

/// Why a function did not take an event.
#[derive(Debug)]
pub struct Refusal {
    /// What it answered, if it did.
    pub status: Option<u16>,
    /// The same in words.
    pub why: String,
    /// Whether nothing else will be taken either.
    pub fatal: bool,
}

impl Running {
    /// The sidecar that the configuration names, or that of the `todo up` with the same data folder.
    pub fn find(config: &Config) -> Outcome<Self> {
        let file = config.running_file();
        let written =
            std::fs::read_to_string(&file).ok().and_then(|text| serde_json::from_str::<Told>(&text).ok());
        let named = config.dapr_http_endpoint.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        let mut told = match (named, written) {
            (None, Some(told)) => told,
            (Some(url), Some(told)) if told.url == url => told,
            (Some(url), _) => Told { url, token: None, functions: None },
            (None, None) => {
                let folder = config.data.display();
                return Err(Failure::unavailable(format!(
                    "nothing runs with the data folder {folder}; start it with `todo up`, name its folder with --data, or its \
                     sidecar with DAPR_HTTP_ENDPOINT"
                )));
            }
        };
        if config.dapr_api_token.is_some() {
            told.token.clone_from(&config.dapr_api_token);
        }
        let http = todo_agent::client_builder(&told.url).map_err(Failure::internal)?;
        let http = http.no_proxy().timeout(DEADLINE).build().map_err(Failure::internal)?;
        Ok(Self { http, told })
    }

    /// Hands a CloudEvent in structured JSON to a function, at most three times.
    pub async fn deliver(&self, function: &str, path: &str, event: &[u8]) -> Result<(), Refusal> {
        let mut waits = WAITS.into_iter();
        loop {
            let refusal = match self.attempt(function, path, event).await {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal,
            };
            let later = refusal.status.is_some_and(|status| matches!(status, 408 | 429 | 500..));
            match waits.next().filter(|_| later && !refusal.fatal) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(refusal),
            }
        }
    }

    async fn attempt(&self, function: &str, path: &str, event: &[u8]) -> Result<(), Refusal> {
        let request = self.http.post(self.told.invocation(function, path));
        let request = request.header("content-type", "application/cloudevents+json").body(event.to_vec());
        let request = match &self.told.token {
            Some(token) => request.header("dapr-api-token", token),
            None => request,
        };
        let answer = request.send().await.map_err(|error| self.told.silent(&error))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(Refusal {
                status: Some(answer.status().as_u16()),
                why: "the sidecar wants another token: set DAPR_API_TOKEN, or restart `todo up`".to_owned(),
                fatal: true,
            }),
            status => Err(Refusal {
                status: Some(status.as_u16()),
                why: sidecars_words(answer).await.unwrap_or_else(|| format!("{function} answered {status}")),
                fatal: false,
            }),
        }
    }
}

impl Told {
    fn invocation(&self, function: &str, path: &str) -> String {
        let (url, path) = (&self.url, path.trim_start_matches('/'));
        match self.functions.as_ref().map(|functions| functions.replace("{function}", function)) {
            // Dapr takes a server's address for an app's id.
            Some(at) => match at.strip_suffix(&format!("/{function}")) {
                Some(server) => format!("{url}/v1.0/invoke/{server}/method/{function}/{path}"),
                None => format!("{url}/v1.0/invoke/{at}/method/{path}"),
            },
            None => format!("{url}/v1.0/invoke/{function}/method/{path}"),
        }
    }

    fn silent(&self, error: &reqwest::Error) -> Refusal {
        let why = match error.is_timeout() {
            true => format!("no answer within {} s", DEADLINE.as_secs()),
            false => format!("nothing answers at {}; start it with `todo up`", self.url),
        };
        Refusal { status: None, why, fatal: !error.is_timeout() }
    }
}

/// What the sidecar says when it is the one who failed. Functions answer events without a body.
async fn sidecars_words(answer: reqwest::Response) -> Option<String> {
    let body: Value = answer.json().await.ok()?;
    let message = body.get("errorCode").and(body.get("message"))?.as_str()?;
    Some(format!("the sidecar says: {message}"))
}
