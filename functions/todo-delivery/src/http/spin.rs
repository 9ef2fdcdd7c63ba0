use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::{Request, Response};
use spin_sdk::http::FullBody;
use spin_sdk::http::body::IncomingBodyExt;

use super::SendError;

/// The host keeps no connection for us.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client;

impl Client {
    /// A race with the clock, because the timeouts of `wasi:http` are one for each part and none for the whole. The loser is dropped, which
    /// cancels it.
    pub async fn send(
        &self,
        request: Request<Bytes>,
        deadline: Duration,
    ) -> Result<Response<Bytes>, SendError> {
        let sending = pin!(async {
            let response = spin_sdk::http::send(request.map(FullBody::new)).await?;
            let (parts, body) = response.into_parts();
            let body = body.bytes().await?;
            Ok::<_, spin_sdk::wasip3::http::types::ErrorCode>(Response::from_parts(parts, body))
        });
        match select(sending, pin!(spin_sdk::time::sleep(deadline))).await {
            Either::Left((answer, _)) => {
                answer.map_err(|code| SendError::Unreachable(format!("{code:?}").into()))
            }
            Either::Right(_) => Err(SendError::Deadline),
        }
    }
}
