//! The functions of an application: components loaded and linked, ready for requests.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all, try_join_all};
use http::{Request, Response};
use wasmtime::Engine;
use wasmtime::component::Linker;
use wasmtime_wasi_http::handler::ProxyPre;
use wasmtime_wasi_http::p3::bindings::ServicePre;

use crate::capabilities::nearby::Nearby;
use crate::capabilities::{Capabilities, OutboundHosts, State, postgres, sqlite};
use crate::compile;
use crate::counters::Counters;
use crate::error::{HostError, reason};
use crate::function::Function;
use crate::instance::Instances;
use crate::limits::Limits;
use crate::manifest::{Component, Manifest, ManifestError, Route, Variables};
use crate::response::{Body, Refusal};
use crate::runtime::Runtime;

/// Loaded functions, in the manifest's order.
pub struct Functions {
    functions: Vec<Function>,
}

/// What [`Functions`] are loaded with.
pub struct Builder<'m> {
    manifest: &'m Manifest,
    only: Option<String>,
    files: BTreeMap<String, PathBuf>,
    variables: Variables,
    sqlite: BTreeMap<String, PathBuf>,
    cache: Option<PathBuf>,
    nearby: Option<Nearby>,
    limits: Limits,
    runtime: Option<Runtime>,
}

impl Functions {
    /// Starts to load the components of `manifest`.
    pub fn builder(manifest: &Manifest) -> Builder<'_> {
        Builder {
            manifest,
            only: None,
            files: BTreeMap::new(),
            variables: Variables::new(),
            sqlite: BTreeMap::new(),
            cache: None,
            nearby: None,
            limits: Limits::default(),
            runtime: None,
        }
    }

    /// Answers `request` by the function `name`, as if it were alone on its server: 404 when it is not loaded, and the
    /// statuses of `docs/specs/host.md` when it fails.
    pub async fn handle<B>(&self, name: &str, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        const EVERYTHING: &Route = &Route::everything();
        match self.functions.iter().find(|function| &*function.name == name) {
            Some(function) => function.handle(EVERYTHING, request).await,
            None => Refusal::NotFound.response(),
        }
    }

    /// Answers `request` by the function whose route fits its path best.
    pub async fn route<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        match self.best(request.uri().path()) {
            Some((function, route)) => function.handle(route, request).await,
            None => Refusal::NotFound.response(),
        }
    }

    fn best(&self, path: &str) -> Option<(&Function, &Route)> {
        self.functions
            .iter()
            .flat_map(|function| function.routes.iter().map(move |route| (function, route)))
            .filter(|(_, route)| route.rest(path).is_some())
            .max_by_key(|(_, route)| route.precision())
    }

    /// Whether a function's route fits `path`.
    pub fn has_route(&self, path: &str) -> bool {
        self.best(path).is_some()
    }

    /// The functions' names and counters.
    pub fn counters(&self) -> impl Iterator<Item = (&str, &Counters)> {
        self.functions.iter().map(|function| (&*function.name, &*function.counters))
    }
}

impl Builder<'_> {
    /// Loads the component `name` and no other.
    pub fn only(mut self, name: impl Into<String>) -> Self {
        self.only = Some(name.into());
        self
    }

    /// Takes the component `name` from `file` instead of the manifest's source. A name that ends in `.cwasm` is a
    /// precompiled component and trusted like this program's own code.
    pub fn file(mut self, name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        self.files.insert(name.into(), file.into());
        self
    }

    /// The values of the application's variables. Those without a value here have the manifest's default.
    pub fn variables(mut self, variables: Variables) -> Self {
        self.variables = variables;
        self
    }

    /// The file of the SQLite database `name`. A database without one is refused to every component.
    pub fn sqlite(mut self, name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        self.sqlite.insert(name.into(), file.into());
        self
    }

    /// The folder for compiled components, made when it is not there. Whoever can write in it can run code as this
    /// process. Without one, every start compiles.
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// A server of this process, which components reach without a connection.
    pub fn nearby(mut self, nearby: Nearby) -> Self {
        self.nearby = Some(nearby);
        self
    }

    /// The limits of each component.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A runtime that was started before; without one, loading starts one.
    pub fn runtime(mut self, runtime: Runtime) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Loads the components, several at once. SQLite's files are opened meanwhile, other databases are connected to by the first request
    /// that needs them.
    pub async fn load(mut self) -> Result<Functions, HostError> {
        let mut runtime = self.runtime.take().map_or_else(Runtime::start, Ok)?;
        let components = self.components()?;
        let values = self.manifest.resolve(&self.variables, &components)?;
        let sqlite = self.databases();
        let needed =
            |(name, _): &(&String, _)| components.iter().any(|one| one.sqlite_databases.contains(name));
        let opening: Vec<_> =
            sqlite.iter().filter(needed).map(|(_, database)| database.clone().open_ahead()).collect();
        let engine = runtime.engine().await?;
        let codes: Vec<_> =
            components.iter().map(|component| self.code(&mut runtime, &engine, component)).collect();
        let shared = Shared {
            linker: runtime.linker().await?,
            postgres: Arc::new(postgres::Pools::new(self.limits.database_connections)),
            sqlite,
            nearby: self.nearby.clone(),
            values,
            limits: self.limits,
            engine,
        };
        let loading = components.iter().zip(codes).map(|(component, code)| shared.load(component, code));
        let functions = try_join_all(loading).await?;
        join_all(opening).await;
        Ok(Functions { functions })
    }

    /// A component's machine code. Compiling it takes seconds of a whole core: not on the threads that answer requests.
    fn code(&self, runtime: &mut Runtime, engine: &Engine, component: &Component) -> Code {
        let file = self.files.get(&component.id).unwrap_or(&component.source).clone();
        if let Some(ahead) = runtime.ahead(&component.id, &file) {
            return ahead.boxed();
        }
        let (engine, id, cache) = (engine.clone(), component.id.clone(), self.cache.clone());
        let loading =
            tokio::task::spawn_blocking(move || compile::load(&engine, &id, &file, cache.as_deref()));
        loading
            .map(|loaded| loaded.unwrap_or_else(|panicked| Err(HostError::Engine(panicked.to_string()))))
            .boxed()
    }

    fn components(&self) -> Result<Vec<&Component>, HostError> {
        match &self.only {
            None => Ok(self.manifest.components().iter().collect()),
            Some(name) => match self.manifest.component(name) {
                Some(component) => Ok(vec![component]),
                None => Err(HostError::UnknownComponent(name.clone())),
            },
        }
    }

    fn databases(&self) -> BTreeMap<String, Arc<sqlite::Database>> {
        let database = |file: &PathBuf| sqlite::Database::new(file.clone(), self.limits.database_connections);
        self.sqlite.iter().map(|(name, file)| (name.clone(), Arc::new(database(file)))).collect()
    }
}

/// A component that is on its way.
type Code = BoxFuture<'static, Result<wasmtime::component::Component, HostError>>;

/// What the components of one load have in common.
struct Shared {
    engine: Engine,
    linker: Linker<State>,
    postgres: Arc<postgres::Pools>,
    sqlite: BTreeMap<String, Arc<sqlite::Database>>,
    nearby: Option<Nearby>,
    values: Variables,
    limits: Limits,
}

impl Shared {
    async fn load(&self, component: &Component, code: Code) -> Result<Function, HostError> {
        let capabilities = Arc::new(self.capabilities(component)?);
        let code = code.await?;
        let linked = self.linker.instantiate_pre(&code).and_then(ServicePre::new);
        let linked = linked.map_err(|error| HostError::Unlinkable {
            component: component.id.clone(),
            reason: reason(&error),
        })?;
        let instances = Instances {
            engine: self.engine.clone(),
            component: ProxyPre::P3(linked),
            capabilities: capabilities.clone(),
            limits: self.limits,
            counters: capabilities.counters.clone(),
        };
        Ok(Function::new(capabilities.component.clone(), component.routes.clone(), instances))
    }

    /// What the manifest grants `component`.
    fn capabilities(&self, component: &Component) -> Result<Capabilities, HostError> {
        let outbound = OutboundHosts::parse(&component.outbound_hosts(&self.values))
            .map_err(|reason| ManifestError::OutboundHost { component: component.id.clone(), reason })?;
        let granted = |(name, _): &(&String, _)| component.sqlite_databases.contains(name);
        let sqlite = self.sqlite.iter().filter(granted);
        Ok(Capabilities {
            component: component.id.as_str().into(),
            counters: Arc::default(),
            variables: component.variables(&self.values),
            outbound,
            nearby: self.nearby.clone(),
            sqlite: sqlite.map(|(name, database)| (name.clone(), database.clone())).collect(),
            postgres: self.postgres.clone(),
        })
    }
}
