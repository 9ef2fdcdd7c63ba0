//! What a sidecar is told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::delivery::Local;
use crate::routes::Routes;

/// Everything a [`Sidecar`](crate::Sidecar) is told. Make one with [`Settings::new`] and change what differs.
#[derive(Clone)]
pub struct Settings {
    /// The SQLite file that holds the log, the consumers' positions, jobs and state. Nobody else's.
    pub file: PathBuf,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// Which event reaches which function.
    pub routes: Routes,
    /// Where a function is: a URL with `{function}` in it, such as `http://127.0.0.1:3000/{function}`.
    pub function_url: String,
    /// Events are brought to the functions this way instead, when they are in this process.
    pub local: Option<Local>,
    /// The functions that may be invoked by name, in addition to those that events reach.
    pub functions: Vec<String>,
    /// The function that `/job/<name>` goes to. Without one, a due job waits.
    pub job_function: Option<String>,
    /// Whose sidecar this is, for [`/v1.0/metadata`](crate) and error details.
    pub app_id: String,
    /// What callers must send as `dapr-api-token`.
    pub api_token: Option<String>,
    /// What this sidecar sends as `dapr-api-token` when it calls a function for a job or an invocation.
    pub app_api_token: Option<String>,
    /// The name of the pub/sub component.
    pub pubsub: String,
    /// Topics that exist though no route mentions them.
    pub topics: Vec<String>,
    /// The name of the state store.
    pub state_store: String,
    /// The name of the secret store.
    pub secret_store: String,
    /// The secrets that may be read: name and value. Whoever makes the settings takes them from the environment.
    pub secrets: BTreeMap<String, String>,
    /// E-mail. Without it the binding does not exist.
    pub email: Option<Email>,
    /// How long the log keeps what every consumer has passed: 7 days.
    pub retention: Duration,
    /// How long an attempt at a job or an invocation may take: 60 s.
    pub call_timeout: Duration,
}

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process, however sudden (SQLite's `synchronous=NORMAL` in WAL mode). When the power fails, what was
    /// acknowledged since the last checkpoint may be gone: seconds to minutes, and never the file.
    #[default]
    Process,
    /// A power cut too (`synchronous=FULL`), for one fsync per group of writes.
    Power,
}

/// An SMTP server, as Dapr's `bindings.smtp` has it.
#[derive(Clone)]
pub struct Email {
    /// The binding's name: `email` unless changed.
    pub name: String,
    /// The server.
    pub host: String,
    /// Its port: 587 or 465 with TLS, 25 or 1025 without.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// User and password, when the server wants them.
    pub login: Option<(String, String)>,
    /// The sender when a request names none.
    pub from: Option<String>,
}

/// How a connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: a relay on this machine, or a test's.
    None,
    /// Required from the second command on (STARTTLS).
    #[default]
    StartTls,
    /// From the first byte.
    Implicit,
}

impl Settings {
    /// Settings without routes, secrets or tokens.
    pub fn new(file: impl Into<PathBuf>, function_url: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            durability: Durability::default(),
            routes: Routes::default(),
            function_url: function_url.into(),
            local: None,
            functions: Vec::new(),
            job_function: None,
            app_id: "todo".into(),
            api_token: None,
            app_api_token: None,
            pubsub: "pubsub".into(),
            topics: Vec::new(),
            state_store: "state".into(),
            secret_store: "secrets".into(),
            secrets: BTreeMap::new(),
            email: None,
            retention: Duration::from_secs(7 * 24 * 3600),
            call_timeout: Duration::from_secs(60),
        }
    }

    /// The URL of `path` (with its `/`) at a function.
    pub(crate) fn url(&self, function: &str, path: &str) -> String {
        url(&self.function_url, function, path)
    }
}

/// What Go leaves as it is in a segment of a path: what `daprd` calls and what we call is to be the same, byte for byte.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b',')
    .remove(b':')
    .remove(b';')
    .remove(b'=')
    .remove(b'@');

/// `text` as one segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

pub(crate) fn url(template: &str, function: &str, path: &str) -> String {
    format!("{}{path}", template.replace("{function}", function).trim_end_matches('/'))
}

impl Email {
    /// A server that protects the connection with STARTTLS and wants no login.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { name: "email".into(), host: host.into(), port, tls: Tls::default(), login: None, from: None }
    }
}
