use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::{Request, Response, StatusCode};
use spin_sdk::http::FullBody;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::wasip3::http::types::ErrorCode;

use super::SendError;

/// The host keeps no connection for us, and follows no redirect.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client;

impl Client {
    pub async fn send(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        within(deadline, async {
            let response = spin_sdk::http::send(request.map(FullBody::new)).await?;
            let (parts, body) = response.into_parts();
            let body = body.bytes().await?;
            Ok(Response::from_parts(parts, body))
        })
        .await
    }

    /// Sends it and reads no more than the status: the body is of no interest, and may be of any size.
    pub async fn status(&self, request: Request<Bytes>, deadline: Duration) -> Result<StatusCode, SendError> {
        within(deadline, async { Ok(spin_sdk::http::send(request.map(FullBody::new)).await?.status()) }).await
    }
}

/// A race with the clock, because the timeouts of `wasi:http` are one for each part and none for the whole. The loser is dropped, which
/// cancels it.
async fn within<T>(
    deadline: Duration,
    sending: impl Future<Output = Result<T, ErrorCode>>,
) -> Result<T, SendError> {
    match select(pin!(sending), pin!(spin_sdk::time::sleep(deadline))).await {
        Either::Left((answer, _)) => {
            answer.map_err(|code| SendError::Unreachable(format!("{code:?}").into()))
        }
        Either::Right(_) => Err(SendError::Deadline),
    }
}
