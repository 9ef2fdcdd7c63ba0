//! Backpressure: a bounded number of requests at work, a bounded number waiting, and the rest told to come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A component's door.
pub struct Gate {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
}

/// A place at work, free again when dropped.
pub type Place = OwnedSemaphorePermit;

/// Too many requests are waiting already, or a place took too long to come free.
#[derive(Debug)]
pub struct Busy;

impl Gate {
    pub fn new(concurrency: usize, queue: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(concurrency)), waiting: AtomicUsize::new(0), queue }
    }

    /// Takes a place, waiting in line for it no longer than `patience`.
    pub async fn enter(&self, patience: Duration) -> Result<Place, Busy> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _line = self.queue_up()?;
        match tokio::time::timeout(patience, self.places.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Busy),
        }
    }

    fn queue_up(&self) -> Result<InLine<'_>, Busy> {
        let line = InLine(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) < self.queue { Ok(line) } else { Err(Busy) }
    }
}

/// Counts a waiting request until it stops waiting, whatever ends it.
struct InLine<'a>(&'a AtomicUsize);

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[tokio::test]
    async fn one_works_one_waits_and_the_third_is_refused() {
        let gate = Gate::new(1, 1);
        let first = gate.enter(Duration::MAX).await.unwrap();
        let mut second = std::pin::pin!(gate.enter(Duration::MAX));
        assert!(futures::poll!(second.as_mut()).is_pending());
        assert!(gate.enter(Duration::MAX).await.is_err());
        drop(first);
        assert!(second.await.is_ok());
    }

    #[tokio::test]
    async fn a_request_that_stops_waiting_leaves_the_line() {
        let gate = Gate::new(1, 1);
        let _first = gate.enter(Duration::MAX).await.unwrap();
        assert!(gate.enter(Duration::ZERO).await.is_err());
        let mut third = std::pin::pin!(gate.enter(Duration::MAX));
        assert!(futures::poll!(third.as_mut()).is_pending());
    }
}
