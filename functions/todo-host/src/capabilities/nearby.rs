//! A server of this very process. Components reach it by its address like any other, as far as they may reach that, and only the
//! connection is left out: one would be opened for each request, which costs more than what it carries.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::uri::{Scheme, Uri};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// As long as a request over a connection may take when the component does not say.
const PATIENCE: Duration = Duration::from_secs(600);

/// Answers a request as the server would.
pub type Answer = Arc<Answering>;

type Answering = dyn Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync;

/// Such a server. Cheap to clone: all of them are the same one.
#[derive(Clone)]
pub struct Nearby {
    authority: String,
    /// Kept by the server, which may keep the functions in turn.
    answer: Arc<OnceLock<Weak<Answering>>>,
}

impl Nearby {
    /// The server at `http://host:port`, whose `host:port` this is. Until it is opened, requests go there by a connection.
    pub fn at(authority: impl Into<String>) -> Self {
        Self { authority: authority.into(), answer: Arc::default() }
    }

    /// Has requests answered here from now on, until the last `answer` is dropped.
    pub fn open(&self, answer: &Answer) {
        // Whoever was first goes on.
        let _ = self.answer.set(Arc::downgrade(answer));
    }

    /// Who answers a request to this address, if it is this server's.
    pub(super) fn answer(&self, uri: &Uri) -> Option<Answer> {
        let is_here = uri.scheme() == Some(&Scheme::HTTP)
            && uri.authority().is_some_and(|authority| authority.as_str() == self.authority);
        if is_here { self.answer.get()?.upgrade() } else { None }
    }
}

/// Sends a request there.
pub(super) async fn send(
    answer: Answer,
    request: Request<WasiBody>,
    options: Option<RequestOptions>,
) -> Result<Response<WasiBody>, Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let patience = options.and_then(|options| options.first_byte_timeout).unwrap_or(PATIENCE);
    match tokio::time::timeout(patience, answer(Request::from_parts(head, body))).await {
        Ok(response) => {
            Ok(response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync()))
        }
        Err(_) => Err(Error::ConnectionReadTimeout),
    }
}
