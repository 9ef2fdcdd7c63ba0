//! A tool call that comes as an event, and the event that answers it.
//!
//! The type is `tool.<name>.call`, the person's own token stands in the extension `usertoken`, and the answer is `tool.<name>.result`,
//! signed like every event of ours. The person is the token's and nobody else; the token is never logged and never stored. The
//! same call again gets the same result, lists included: so every call is remembered. What is refused for good is answered 422 without
//! a body, as a consumer does it (`todo_delivery`).

use std::error::Error as StdError;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full, Limited};
use serde_json::{Value, json};
use todo_delivery::{Error, log};
use todo_events::{Event, Incoming, Malformed, Origin, Rejected, ToolCall, sign};
use todo_identity::{EventKey, Tenant, Verifier};
use todo_store::calls::Call;

use super::call::{Work, claims_another, mistake};
use super::{BODY_LIMIT, Server};
use crate::{Tool, function_of};

/// What calls by event need beside what calls by MCP need.
#[derive(Clone)]
pub struct ByEvent {
    /// Verifies people's own tokens.
    pub people: Verifier,
    /// Signs the answers.
    pub key: EventKey,
}

impl std::fmt::Debug for ByEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ByEvent").finish_non_exhaustive()
    }
}

/// Whether a request is an event for the tool `T`: posted to the function itself, not to its MCP endpoint.
pub(super) fn addressed<T: Tool>(head: &Parts) -> bool {
    let path = head.uri.path().trim_matches('/');
    head.method == Method::POST && (path.is_empty() || path == function_of(T::NAME))
}

impl Server {
    pub(super) async fn event<T, B>(&self, head: Parts, body: B) -> Response<Full<Bytes>>
    where
        T: Tool,
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let incoming = match Limited::new(body, BODY_LIMIT).collect().await {
            Ok(body) => Incoming::read(&head.headers, &body.to_bytes()),
            Err(_) => Err(Malformed::NotAnEvent),
        };
        let answered = match &incoming {
            Ok(incoming) => self.answer_event::<T>(incoming).await,
            Err(malformed) => Err(malformed.clone().into()),
        };
        answered.map(cloud_event).unwrap_or_else(|error| {
            let traceparent = incoming.as_ref().ok().and_then(Incoming::traceparent);
            log::failed(&function_of(T::NAME), traceparent, &error);
            let mut response = Response::new(Full::default());
            *response.status_mut() = error.status();
            response
        })
    }

    async fn answer_event<T: Tool>(&self, incoming: &Incoming) -> Result<Vec<u8>, Error> {
        let by_event =
            self.by_event.as_ref().ok_or(Error::Impossible("calls by event are not accepted here"))?;
        let call = incoming.tool_call()?;
        if call.tool.as_str() != T::NAME {
            return Err(Rejected::Type.into());
        }
        let tenant = by_event.people.verify(&call.user_token).map_err(Error::Token)?;
        let (is_error, result) = self.result_of::<T>(&tenant, &call, incoming.traceparent()).await?;
        let now = jiff::Timestamp::now();
        let event = Event::tool_result(tenant.user_id(), call.tool, &call.call_id, is_error, result, now);
        let origin =
            Origin { source: function_of(T::NAME), traceparent: incoming.traceparent().map(str::to_owned) };
        Ok(sign(&event.cloud_event(&origin).to_string(), &by_event.key)?)
    }

    /// A mistake of the caller is an answer too: a retry would make it again.
    async fn result_of<T: Tool>(
        &self,
        tenant: &Tenant,
        call: &ToolCall,
        traceparent: Option<&str>,
    ) -> Result<(bool, Value), Error> {
        let mut arguments = call.arguments.clone();
        arguments.entry("user_id").or_insert_with(|| json!(tenant.user_id()));
        let other = Some(call.user_id.as_str()).filter(|claimed| *claimed != tenant.user_id());
        if let Some(claimed) = claims_another(tenant, &arguments).or(other) {
            self.audit::<T>(tenant, traceparent, claimed).await;
            return Err(Error::Impossible("user_id is not the user of the token"));
        }
        let arguments = Value::Object(arguments);
        let work = Work { tenant, traceparent, call: Some(Call::new(&call.call_id, T::NAME, &arguments)) };
        match self.perform::<T>(&work, &arguments).await {
            Ok(done) => Ok((false, done.answer)),
            Err(error) => match mistake(&error) {
                Some(mistake) => Ok((true, json!(mistake))),
                None => Err(error.into()),
            },
        }
    }
}

fn cloud_event(event: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(event));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json"));
    response
}
