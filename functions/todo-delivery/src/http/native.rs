use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::SendError;

/// Keeps connections open between requests, and goes nowhere but where it is sent: a redirect is an answer.
#[derive(Clone, Debug)]
pub(crate) struct Client(reqwest::Client);

impl Default for Client {
    fn default() -> Self {
        // Where another crate gives reqwest TLS without a provider of its own, a client without one cannot be made.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self(client.build().unwrap_or_default())
    }
}

impl Client {
    pub async fn send(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        within(deadline, async {
            let response = self.0.execute(request.try_into()?).await?;
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = response.headers().clone();
            *answer.body_mut() = response.bytes().await?;
            Ok(answer)
        })
        .await
    }

    /// Sends it and reads no more than the status: the body is of no interest, and may be of any size.
    pub async fn status(&self, request: Request<Bytes>, deadline: Duration) -> Result<StatusCode, SendError> {
        within(deadline, async { Ok(self.0.execute(request.try_into()?).await?.status()) }).await
    }
}

async fn within<T>(
    deadline: Duration,
    sending: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, SendError> {
    match tokio::time::timeout(deadline, sending).await {
        // Its text would name the address, in which secrets may stand.
        Ok(answer) => answer.map_err(|error| SendError::Unreachable(error.without_url().into())),
        Err(_) => Err(SendError::Deadline),
    }
}
