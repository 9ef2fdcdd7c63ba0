//! The Dapr sidecar: its HTTP API, as far as functions use it.

mod bindings;
mod jobs;

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::{Client, SendError};
use crate::settings::SetupError;

/// A broker that is away costs Dapr one or two seconds before it says so. Nobody waits for this but the event itself, and the instance.
const DEADLINE: Duration = Duration::from_secs(2);

const API_TOKEN: HeaderName = HeaderName::from_static("dapr-api-token");

/// A client of the sidecar. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Sidecar {
    client: Client,
    url: String,
    api_token: Option<HeaderValue>,
}

/// Why the sidecar did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// It took longer than the deadline; it may have done it all the same.
    #[error("the sidecar did not answer in time")]
    Deadline,
    /// It cannot be reached.
    #[error("the sidecar cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It answered with another status than was hoped for.
    #[error("the sidecar answered {0}")]
    Status(StatusCode),
    /// A request that cannot be sent: a defect.
    #[error("not a request")]
    Request(#[source] http::Error),
}

impl SidecarError {
    /// Whether the request itself was found wrong, so that the same one can never succeed. A missing token (401), a topic that is not
    /// allowed (403) and a component that is not there (404) are the operator's to mend.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status.as_u16(), 400 | 413 | 415 | 422),
            Self::Request(_) => true,
            Self::Deadline | Self::Unreachable(_) => false,
        }
    }
}

impl Sidecar {
    /// The sidecar at `url` (`http://host:port`), with the token it demands, if any.
    pub fn new(url: &str, api_token: Option<&str>) -> Result<Self, SetupError> {
        let url = url.trim_end_matches('/');
        let complete =
            url.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some());
        if !complete {
            return Err(SetupError::Url);
        }
        let api_token = api_token.map(HeaderValue::try_from).transpose().map_err(|_| SetupError::ApiToken)?;
        Ok(Self { client: Client::default(), url: url.to_owned(), api_token })
    }

    /// Publishes a CloudEvent in structured JSON so that the broker holds these very bytes, under the person as key.
    pub async fn publish(&self, topic: &str, user_id: &str, event: Vec<u8>) -> Result<(), SidecarError> {
        let partition_key = utf8_percent_encode(user_id, NON_ALPHANUMERIC);
        let path = format!(
            "/v1.0/publish/pubsub/{topic}?metadata.rawPayload=true\
             &metadata.content-type=application%2Fcloudevents%2Bjson&metadata.partitionKey={partition_key}"
        );
        let answer = self.send(Method::POST, &path, "application/cloudevents+json", event).await?;
        succeeded(&answer)
    }

    /// Sends any request of the API, such as `POST /v1.0/jobs/<name>` with JSON, and returns the answer whatever its status.
    ///
    /// # Errors
    ///
    /// When there is no answer within 2 s.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Bytes>, SidecarError> {
        self.send_within(DEADLINE, method, path, content_type, body).await
    }

    /// The same, with more patience or less.
    pub(crate) async fn send_within(
        &self,
        deadline: Duration,
        method: Method,
        path: &str,
        content_type: &'static str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Bytes>, SidecarError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(CONTENT_TYPE, content_type)
            .body(body.into())
            .map_err(SidecarError::Request)?;
        if let Some(token) = &self.api_token {
            request.headers_mut().insert(API_TOKEN, token.clone());
        }
        self.client.send(request, deadline).await.map_err(|error| match error {
            SendError::Deadline => SidecarError::Deadline,
            SendError::Unreachable(source) => SidecarError::Unreachable(source),
        })
    }
}

fn succeeded(answer: &Response<Bytes>) -> Result<(), SidecarError> {
    if answer.status().is_success() { Ok(()) } else { Err(SidecarError::Status(answer.status())) }
}
