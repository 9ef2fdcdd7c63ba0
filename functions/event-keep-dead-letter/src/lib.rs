//! `event-keep-dead-letter`: the end of the line. It keeps whatever reaches it, with the reason, for `todo dead-letters`.
//!
//! Not over the consumers' skeleton, which refuses what is not well-formed and signed: this is where such things go. Nothing behind
//! here catches what it refuses, so it refuses nothing. It acts in nobody's name: the row is written with the relay's rights, and a
//! person stands in it only if the signature says so. A copy that comes again is counted (`letter.rs` says what a copy is), so a
//! redelivery makes no second row.
//!
//! Answers: 204; 503 while the database is away, and 500 if it refuses the row, which is delivered again for days.

#[cfg(target_family = "wasm")]
mod component;
mod letter;

use std::error::Error as StdError;

use bytes::{BufMut, Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use todo_delivery::{Settings, SetupError, log};
use todo_identity::EventVerifier;
use todo_store::dead_letters::DeadLetter;
use todo_store::{Database, Error};

/// The function's name.
pub const NAME: &str = "event-keep-dead-letter";

/// What Dapr takes as a request. What is larger cannot have come through it; its beginning is kept.
const BODY_LIMIT: usize = 4 << 20;

/// The function, without what its requests hold.
#[derive(Debug)]
pub struct Keeper {
    database: Database,
    verifier: Option<EventVerifier>,
}

impl Keeper {
    /// With its own connections.
    ///
    /// # Errors
    ///
    /// When `database_url` or `event_public_keys` is unusable. Without keys it keeps everything as nobody's.
    pub async fn open(settings: &Settings) -> Result<Self, SetupError> {
        Ok(Self { database: Database::open(&settings.database_url).await?, verifier: settings.verifier()? })
    }

    /// Answers one request: `POST` with anything, `GET …/healthz`.
    pub async fn serve<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body + Unpin,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            let health = matches!(head.uri.path().rsplit('/').next(), Some("healthz" | "readyz"));
            let alive = health && head.method == Method::GET;
            return status(if alive { StatusCode::OK } else { StatusCode::METHOD_NOT_ALLOWED });
        }
        let Ok(body) = read(body).await else {
            // Whoever sent it broke off, and sends it again.
            return status(StatusCode::SERVICE_UNAVAILABLE);
        };
        let letter = letter::of(&head.headers, &body, self.verifier.as_ref());
        match self.keep(&letter).await {
            Ok(()) => status(StatusCode::NO_CONTENT),
            Err(error) => {
                log::failed(NAME, None, &error);
                let transient = error.is_transient();
                status(if transient {
                    StatusCode::SERVICE_UNAVAILABLE
                } else {
                    StatusCode::INTERNAL_SERVER_ERROR
                })
            }
        }
    }

    async fn keep(&self, letter: &DeadLetter) -> Result<(), Error> {
        let mut relay = self.database.begin_relay().await?;
        relay.keep_dead_letter(letter).await?;
        relay.commit().await
    }
}

/// The body as far as the limit.
async fn read<B: Body + Unpin>(mut body: B) -> Result<Bytes, B::Error> {
    let mut read = BytesMut::new();
    while read.len() < BODY_LIMIT
        && let Some(frame) = body.frame().await
    {
        if let Ok(data) = frame?.into_data() {
            read.put(data);
        }
    }
    read.truncate(BODY_LIMIT);
    Ok(read.freeze())
}

/// Always without a body: a Knative Broker takes any other body but an event for a failure.
fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
