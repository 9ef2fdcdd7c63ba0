//! A function that is woken by an event: one HTTP request in, one status out.

use std::error::Error as StdError;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use todo_events::{Event, Incoming, Malformed};
use todo_identity::{EventVerifier, Tenant};
use todo_store::{Database, Error as StoreError};

use crate::http::Client;
use crate::{Consumer, Error, Publisher, Received, Settings, SetupError, Sidecar, Tick, Variables, log};

/// The largest legal event has twice a task of 64 kB of JSON.
pub(crate) const BODY_LIMIT: usize = 1 << 20;

/// A transaction that lost against another has changed nothing and is repeated at once.
const ATTEMPTS: usize = 3;

/// Everything that outlives a request. Holds nothing of any person.
#[derive(Debug)]
pub struct Server {
    /// The database.
    pub database: Database,
    /// How events are published, when they are.
    pub publisher: Option<Publisher>,
    pub(crate) sidecar: Option<Sidecar>,
    pub(crate) client: Client,
    pub(crate) variables: Variables,
    verifier: Option<EventVerifier>,
}

impl Server {
    /// A server with its own connections.
    pub async fn open(settings: &Settings) -> Result<Self, SetupError> {
        Self::over(Database::open(&settings.database_url).await?, settings)
    }

    /// A server over a database that is already open.
    pub fn over(database: Database, settings: &Settings) -> Result<Self, SetupError> {
        Ok(Self {
            database,
            publisher: settings.publisher()?,
            sidecar: settings.sidecar()?,
            client: Client::default(),
            variables: settings.variables.clone(),
            verifier: settings.verifier()?,
        })
    }

    /// Answers one request to a consumer: `POST` with a CloudEvent or, if the consumer takes them, with several; `GET …/healthz`.
    pub async fn serve<C, B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        C: Consumer,
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return status(without_event(&head.method, head.uri.path()));
        }
        let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
            return failed(C::NAME, None, &Malformed::NotAnEvent.into());
        };
        match Incoming::is_batch(&head.headers) {
            false => self.consume::<C>(&head.headers, &body.to_bytes()).await,
            true if C::TOGETHER => self.consume_together::<C>(&body.to_bytes()).await,
            true => status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
        }
    }

    /// Answers one request to a tick: `POST` with anything, `GET …/healthz`.
    pub async fn tick<T, B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        T: Tick,
    {
        if request.method() != Method::POST {
            return status(without_event(request.method(), request.uri().path()));
        }
        match T::run(self).await {
            Ok(()) => status(StatusCode::NO_CONTENT),
            Err(error) => failed(T::NAME, None, &error),
        }
    }

    async fn consume<C: Consumer>(&self, headers: &HeaderMap, body: &[u8]) -> Response<Full<Bytes>> {
        let incoming = match Incoming::read(headers, body) {
            Ok(incoming) => incoming,
            Err(malformed) => return failed(C::NAME, None, &malformed.into()),
        };
        // It has no effect, so nobody needs to know whether it is true.
        if C::TYPES.exclude(incoming.event_type()) {
            return status(StatusCode::NO_CONTENT);
        }
        match self.act::<C>(&incoming).await {
            Ok(()) => status(StatusCode::NO_CONTENT),
            Err(error) => failed(C::NAME, incoming.traceparent(), &error),
        }
    }

    /// All of them, or a failure, after which some may be done: each is to be delivered again, by itself.
    async fn consume_together<C: Consumer>(&self, body: &[u8]) -> Response<Full<Bytes>> {
        let outcome = match Incoming::read_batch(body) {
            Ok(events) => self.act_together::<C>(&events).await,
            Err(malformed) => Err(malformed.into()),
        };
        match outcome {
            Ok(()) => status(StatusCode::NO_CONTENT),
            Err(error) => failed(C::NAME, None, &error),
        }
    }

    async fn act_together<C: Consumer>(&self, events: &[Incoming]) -> Result<(), Error> {
        let mut verified = Vec::with_capacity(events.len());
        for incoming in events.iter().filter(|incoming| !C::TYPES.exclude(incoming.event_type())) {
            verified.push((self.verified(incoming)?, incoming));
        }
        let mut people: Vec<(&str, Vec<Received<'_>>)> = Vec::new();
        for ((tenant, event), incoming) in &verified {
            let received = Received { event, incoming, tenant, function: C::NAME, server: self };
            match people.iter_mut().find(|(user_id, _)| *user_id == tenant.user_id()) {
                Some((_, events)) => events.push(received),
                None => people.push((tenant.user_id(), vec![received])),
            }
        }
        for (_, events) in &people {
            repeating(async || Received::all_once::<C>(events).await).await?;
        }
        Ok(())
    }

    async fn act<C: Consumer>(&self, incoming: &Incoming) -> Result<(), Error> {
        let (tenant, event) = self.verified(incoming)?;
        let received = Received { event: &event, incoming, tenant: &tenant, function: C::NAME, server: self };
        repeating(async || C::act(&received).await).await
    }

    /// Whose event it is, and what it says.
    pub(crate) fn verified(&self, incoming: &Incoming) -> Result<(Tenant, Event), Error> {
        let verifier = self.verifier.as_ref().ok_or(Error::Unset("event_public_keys"))?;
        Ok(incoming.verify(verifier)?)
    }
}

/// Does it again, a few times, as long as other transactions are in the way.
pub(crate) async fn repeating(work: impl AsyncFn() -> Result<(), Error>) -> Result<(), Error> {
    let mut outcome = work().await;
    for _ in 1..ATTEMPTS {
        if !matches!(outcome, Err(Error::Store(StoreError::Busy(_)))) {
            break;
        }
        outcome = work().await;
    }
    outcome
}

/// Whoever is asked at all is alive and ready: its settings were read.
pub(crate) fn without_event(method: &Method, path: &str) -> StatusCode {
    match path.rsplit('/').next() {
        Some("healthz" | "readyz") if *method == Method::GET => StatusCode::OK,
        _ => StatusCode::METHOD_NOT_ALLOWED,
    }
}

/// Always without a body: a Knative Broker takes any other body but an event for a failure.
pub(crate) fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

pub(crate) fn failed(function: &str, traceparent: Option<&str>, error: &Error) -> Response<Full<Bytes>> {
    log::failed(function, traceparent, error);
    status(error.status())
}
