use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use super::SendError;

/// Keeps connections open between requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client(reqwest::Client);

impl Client {
    pub async fn send(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let sending = async {
            let response = self.0.execute(request.try_into()?).await?;
            let mut answer = Response::new(Bytes::new());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = response.headers().clone();
            *answer.body_mut() = response.bytes().await?;
            Ok::<_, reqwest::Error>(answer)
        };
        match tokio::time::timeout(deadline, sending).await {
            Ok(answer) => answer.map_err(|error| SendError::Unreachable(error.into())),
            Err(_) => Err(SendError::Deadline),
        }
    }
}
