//! What Dapr calls when the time of a job has come: `POST /job/<name>` with the job's data, which is a signed event.
//!
//! The token tells that it is Dapr which calls, the signature for whom and for what to act. Dapr takes any 2xx for done, and 404 too:
//! the job is lost then, so that status is not answered here to a job. Everything else it repeats as the job says.

use std::error::Error as StdError;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use percent_encoding::percent_decode_str;
use subtle::ConstantTimeEq;
use todo_events::{EventType, Incoming, Malformed, Rejected};

use crate::server::{BODY_LIMIT, failed, repeating, status, without_event};
use crate::{Delivery, Error, Received, Server, log};

/// A function that does jobs.
pub trait Job {
    /// The function's name.
    const NAME: &'static str;
    /// The type of event that its jobs carry.
    const TYPE: EventType;

    /// Does the job of this name, in one transaction. It may be called any number of times, also after it succeeded.
    fn run(delivery: &mut Delivery<'_>, name: &str) -> impl Future<Output = Result<(), Error>>;
}

impl Server {
    /// The variable with the token that Dapr shows. A secret.
    pub const APP_API_TOKEN: &'static str = "app_api_token";

    /// Answers one request to a function that does jobs: `POST …/job/<name>`, `GET …/healthz`.
    pub async fn job<J, B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        J: Job,
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return status(without_event(&head.method, head.uri.path()));
        }
        let Some(name) = name(head.uri.path()) else { return status(StatusCode::METHOD_NOT_ALLOWED) };
        if let Err(error) = self.is_dapr(&head.headers) {
            return failed(J::NAME, None, &error);
        }
        let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
            return failed(J::NAME, None, &Malformed::Json.into());
        };
        match Incoming::from_json(&body.to_bytes()) {
            Err(malformed) => failed(J::NAME, None, &malformed.into()),
            Ok(incoming) => match self.run::<J>(&incoming, &name).await {
                Ok(()) => {
                    // Dapr keeps the job's data and no header, so whoever answers its call sees no trace.
                    log::done(J::NAME, incoming.traceparent(), "did a job");
                    status(StatusCode::NO_CONTENT)
                }
                Err(error) => failed(J::NAME, incoming.traceparent(), &error),
            },
        }
    }

    async fn run<J: Job>(&self, incoming: &Incoming, name: &str) -> Result<(), Error> {
        let (tenant, event) = self.verified(incoming)?;
        if event.event_type != J::TYPE {
            return Err(Rejected::Type.into());
        }
        let received = Received { event: &event, incoming, tenant: &tenant, function: J::NAME, server: self };
        repeating(async || {
            let mut tx = received.begin().await?;
            J::run(&mut received.delivery(&mut tx), name).await?;
            received.commit(tx).await
        })
        .await
    }

    fn is_dapr(&self, headers: &HeaderMap) -> Result<(), Error> {
        let agreed = self.variables.get(Self::APP_API_TOKEN).ok_or(Error::Unset(Self::APP_API_TOKEN))?;
        let shown = headers.get("dapr-api-token").ok_or(Error::Unknown)?;
        let same = shown.as_bytes().ct_eq(agreed.as_bytes());
        if bool::from(same) { Ok(()) } else { Err(Error::Forbidden) }
    }
}

/// The last segment, when the one before says that it is a job.
fn name(path: &str) -> Option<String> {
    let (_, name) = path.rsplit_once("/job/")?;
    let name = percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty()).then(|| name.into_owned())
}
