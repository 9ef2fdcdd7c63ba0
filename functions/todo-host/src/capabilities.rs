//! What a component may do: exactly the interfaces linked here, each limited by the manifest.
//!
//! No files, no environment, no sockets, no other component. Clocks, randomness and its own HTTP handler are WASI's; the
//! databases and variables are Spin's; outbound HTTP and Postgres reach what `allowed_outbound_hosts` lists.

mod http;
pub mod nearby;
mod outbound;
pub mod postgres;
pub mod sqlite;
mod stdio;
mod variables;

use std::collections::BTreeMap;
use std::sync::Arc;

use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

pub use outbound::OutboundHosts;

use crate::bindings;
use crate::counters::Counters;
use crate::footprint::Footprint;
use crate::manifest::Variables;
use http::OutboundHttp;
use nearby::Nearby;
use stdio::{Lines, Stream};

/// What one component has been given, the same for all its instances.
pub struct Capabilities {
    /// The component's name, for the log.
    pub component: Arc<str>,
    /// What it does, counted.
    pub counters: Arc<Counters>,
    /// What `spin:variables` answers.
    pub variables: Variables,
    /// The hosts that may be reached.
    pub outbound: OutboundHosts,
    /// The server of this process that is among them.
    pub nearby: Option<Nearby>,
    /// The databases of `spin:sqlite`, by name.
    pub sqlite: BTreeMap<String, Arc<sqlite::Database>>,
    /// The connections of `spin:postgres`, shared by all components of the process.
    pub postgres: Arc<postgres::Pools>,
}

/// The host's side of one instance.
pub struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound_http: OutboundHttp,
    /// How much memory the instance may take, and takes.
    pub footprint: Footprint,
    capabilities: Arc<Capabilities>,
}

/// The moment's view of an instance that Spin's interfaces work on.
pub struct View<'a> {
    table: &'a mut ResourceTable,
    capabilities: &'a Arc<Capabilities>,
}

/// Names [`View`] to the linker.
pub struct Spin;

impl HasData for Spin {
    type Data<'a> = View<'a>;
}

impl State {
    /// A fresh instance's state, which may take `memory` bytes of linear memory.
    pub fn new(capabilities: Arc<Capabilities>, memory: usize) -> Self {
        let lines = |stream| Lines::new(capabilities.component.clone(), stream);
        Self {
            table: ResourceTable::new(),
            wasi: WasiCtxBuilder::new().stdout(lines(Stream::Out)).stderr(lines(Stream::Err)).build(),
            http: WasiHttpCtx::new(),
            outbound_http: OutboundHttp::new(capabilities.clone()),
            footprint: Footprint::new(memory, capabilities.counters.clone()),
            capabilities,
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound_http }
    }
}

/// Gives `linker` every interface that a component may import.
pub fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    wasmtime_wasi_http::p3::add_to_linker(linker)?;
    bindings::Imports::add_to_linker::<_, Spin>(linker, |state| View {
        table: &mut state.table,
        capabilities: &state.capabilities,
    })
}
