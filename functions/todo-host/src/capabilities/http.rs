//! Outbound HTTP: sent when `allowed_outbound_hosts` lists the host, refused before any connection otherwise.

use std::future::Future;
use std::sync::{Arc, Once};

use http::uri::Scheme;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks, default_send_request};

use super::outbound::default_port;
use super::{Capabilities, nearby};
use crate::counters::Counters;

/// Where Dapr's HTTP API takes events.
const PUBLISH: &str = "/v1.0/publish/";

type Finished = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Finished), Error>> + Send>;

/// Sends a component's requests.
pub struct OutboundHttp {
    capabilities: Arc<Capabilities>,
}

impl OutboundHttp {
    pub fn new(capabilities: Arc<Capabilities>) -> Self {
        Self { capabilities }
    }

    fn permit(&self, request: &Request<WasiBody>) -> Result<(), Error> {
        let uri = request.uri();
        let scheme = uri.scheme().unwrap_or(&Scheme::HTTPS).as_str();
        let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?;
        let port = uri.port_u16().or_else(|| default_port(scheme)).ok_or(Error::HttpRequestUriInvalid)?;
        if self.capabilities.outbound.allow(scheme, host, port) {
            return Ok(());
        }
        tracing::warn!(
            component = %self.capabilities.component,
            "refused a request to {scheme}://{host}:{port}: `allowed_outbound_hosts` does not list it"
        );
        Err(Error::HttpRequestDenied)
    }
}

impl WasiHttpHooks for OutboundHttp {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processed: Finished,
    ) -> Sent {
        let permitted = self.permit(&request);
        let publish = Publish::of(&request, &self.capabilities);
        let nearby = self.capabilities.nearby.as_ref().and_then(|nearby| nearby.answer(request.uri()));
        Box::new(async move {
            permitted?;
            let (response, finished): (_, Finished) = match nearby {
                Some(answer) => (nearby::send(answer, request, options).await?, Box::new(async { Ok(()) })),
                None => {
                    choose_tls_provider();
                    let (response, finished) = default_send_request(request, options).await?;
                    (response.map(BodyExt::boxed_unsync), Box::new(finished))
                }
            };
            if let Some(publish) = publish {
                publish.answered(response.status());
            }
            Ok((response, finished))
        })
    }
}

/// An event on its way to the sidecar. One that is dropped before its answer, because the component would not wait any longer, has
/// failed.
struct Publish {
    counters: Arc<Counters>,
    taken: bool,
}

impl Publish {
    fn of(request: &Request<WasiBody>, capabilities: &Capabilities) -> Option<Self> {
        let is_one = request.uri().path().starts_with(PUBLISH);
        is_one.then(|| {
            capabilities.counters.publish();
            Self { counters: capabilities.counters.clone(), taken: false }
        })
    }

    fn answered(mut self, status: StatusCode) {
        self.taken = status.is_success();
    }
}

impl Drop for Publish {
    fn drop(&mut self) {
        if !self.taken {
            self.counters.publish_failure();
        }
    }
}

/// `default_send_request` takes the process's TLS provider, which rustls cannot guess when two are compiled in. Whoever
/// chose one before is right.
fn choose_tls_provider() {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
