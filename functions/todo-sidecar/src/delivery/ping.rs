//! Functions that the clock wakes (`PingSource`).

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Courier, Event};
use crate::observe::{Observation, Observers};
use crate::routes::Ping;

const KIND: &str = "dev.knative.sources.ping";
/// The longest sleep: a clock that was set, or a machine that slept, is noticed within it.
const LONGEST: Duration = Duration::from_secs(30);
/// How long a function may take. Until it has answered, it is not woken again.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Wakes a function at its times. One that is missed is not made up for: the next does the same.
pub(crate) async fn ping(
    ping: Arc<Ping>,
    url: String,
    courier: Courier,
    observers: Arc<Observers>,
    stop: CancellationToken,
) {
    let mut after = Timestamp::now();
    while let Some(at) = ping.schedule.next(after) {
        loop {
            let left = Duration::try_from(Timestamp::now().duration_until(at)).unwrap_or_default();
            if left.is_zero() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(LONGEST)) => {}
                () = stop.cancelled() => return,
            }
        }
        let data = ping.data.clone().map(|(kind, data)| (kind, data.into_bytes()));
        let event = Event::new(KIND, format!("/apis/v1/namespaces/default/pingsources/{}", ping.name), data);
        let request = courier.client().post(&url).headers(event.headers()).body(event.data().to_vec());
        let status = request.timeout(TIMEOUT).send().await.ok().map(|response| response.status().as_u16());
        observers.tell(Observation::Pinged { function: ping.function.clone(), status });
        after = Timestamp::now().max(at);
    }
}
