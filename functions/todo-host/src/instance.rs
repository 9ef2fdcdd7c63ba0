//! A component's instances: how one starts, how many requests it serves, and when it ends.
//!
//! wasmtime-wasi-http's `ProxyHandler` starts a worker for each instance and hands it requests; this is what it asks us.
//! A request's time is limited twice, as the handler's documentation demands: a guest that waits is found by the future
//! of the request, and one that computes without end holds that future up and is found by the worker's expiration,
//! which is polled whenever the engine's clock makes the guest yield. It yields to tokio and not only to tokio's other
//! tasks: else a thread whose every task computes would look at its sockets once in 61 yields.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep};
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Result, Store, StoreContextMut, UpdateDeadline, format_err};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::capabilities::{Capabilities, State};
use crate::counters::Counters;
use crate::limits::Limits;

/// Starts a component's instances.
pub struct Instances {
    pub engine: Engine,
    pub component: ProxyPre<State>,
    pub capabilities: Arc<Capabilities>,
    pub limits: Limits,
    pub counters: Arc<Counters>,
}

impl HandlerState for Instances {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> Result<Instance<State, Expiration, Worker>> {
        self.counters.cold_start();
        let mut store = Store::new(&self.engine, State::new(self.capabilities.clone(), self.limits.memory));
        store.limiter(|state| &mut state.footprint);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| {
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
        });
        // A component may run code when it starts, without end too.
        let starting = self.component.instantiate_async(&mut store);
        let proxy = tokio::time::timeout(self.limits.time, starting)
            .await
            .map_err(|_| format_err!("the component did not start in time"))??;
        let overdue = Arc::new(AtomicBool::new(false));
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration::new(self.limits, overdue.clone()),
            state: Worker {
                overdue,
                capabilities: self.capabilities.clone(),
                limits: self.limits,
                counters: self.counters.clone(),
            },
        })
    }
}

/// One instance's way through its requests.
pub struct Worker {
    /// Set when its request took too long: nobody waits for what it still does.
    overdue: Arc<AtomicBool>,
    capabilities: Arc<Capabilities>,
    limits: Limits,
    counters: Arc<Counters>,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = ();

    /// One request at a time: whatever ends the instance then ends no other request, and no two people's data are in
    /// one memory at once.
    fn should_accept_request(&self, running: usize, total: usize) -> ShouldAccept {
        match (running, total) {
            (_, total) if total >= self.limits.requests_per_instance => ShouldAccept::Never,
            (0, _) => ShouldAccept::Yes,
            _ => ShouldAccept::No,
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        let (overdue, limit) = (self.overdue.clone(), self.limits.time);
        Box::pin(async move {
            sleep(limit).await;
            overdue.store(true, Relaxed);
        })
    }

    fn drop(&self, store: Store<State>, result: Result<()>) {
        drop(store);
        if let Err(error) = result {
            // The worker's task was dropped with the runtime: wasmtime says the same of that as of a panic.
            if error.to_string() == "worker panicked" && !std::thread::panicking() {
                return;
            }
            self.counters.trap();
            tracing::error!(component = %self.capabilities.component, "an instance ended: {error:?}");
        }
    }
}

/// When an instance has idled, or worked on one request, for too long.
pub struct Expiration {
    limits: Limits,
    overdue: Arc<AtomicBool>,
    timer: Pin<Box<Sleep>>,
}

impl Expiration {
    fn new(limits: Limits, overdue: Arc<AtomicBool>) -> Self {
        Self { limits, overdue, timer: Box::pin(sleep(Duration::ZERO)) }
    }
}

impl WorkerExpiration for Expiration {
    /// The timer is moved only when it has fired too early: that is seldom, where moving it for each request is not free.
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        since: Instant,
    ) -> Poll<()> {
        let limit = match status {
            _ if self.overdue.load(Relaxed) => Duration::ZERO,
            WorkerStatus::Idle => self.limits.idle,
            WorkerStatus::Requests | WorkerStatus::PostReturn => self.limits.time,
        };
        let deadline = since + limit;
        if tokio::time::Instant::from_std(deadline) < self.timer.deadline() {
            self.timer.as_mut().reset(deadline.into());
        }
        while self.timer.as_mut().poll(context).is_ready() {
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline.into());
        }
        Poll::Pending
    }
}
