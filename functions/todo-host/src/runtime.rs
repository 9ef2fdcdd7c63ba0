//! What a process makes before it knows its components: the engine, the host's interfaces to link them with, and machine code whose file
//! is already known.

use std::io;
use std::path::{Path, PathBuf};
use std::result::Result;
use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::capabilities::{State, link};
use crate::compile;
use crate::engine::engine;
use crate::error::{HostError, reason};

/// An engine and its linker, made by threads of their own: who starts one early reads arguments, configuration and manifest meanwhile.
pub struct Runtime {
    engine: Coming<Engine>,
    linker: Coming<Linker<State>>,
    to_load: mpsc::Sender<Load>,
    loading: Vec<Loading>,
}

/// What another thread makes.
type Coming<T> = oneshot::Receiver<Result<T, HostError>>;

/// A component to be loaded, and who waits for it.
struct Load {
    name: String,
    file: PathBuf,
    loaded: oneshot::Sender<Result<Component, HostError>>,
}

/// A component that is on its way.
struct Loading {
    name: String,
    file: PathBuf,
    component: Coming<Component>,
}

impl Runtime {
    /// Starts to make it.
    pub fn start() -> Result<Self, HostError> {
        let (engine_made, engine) = oneshot::channel();
        let (linker_made, linker) = oneshot::channel();
        let (to_load, loads) = mpsc::channel();
        spawn("runtime", move || work(engine_made, linker_made, loads))
            .map_err(|error| HostError::Engine(error.to_string()))?;
        Ok(Self { engine, linker, to_load, loading: Vec::new() })
    }

    /// Loads the component `name` from `file` as soon as there is an engine, for a [`Builder`](crate::Builder) that wants it from there.
    /// What has to be compiled is not kept.
    pub fn load_ahead(&mut self, name: &str, file: &Path) {
        let (loaded, component) = oneshot::channel();
        let (name, file) = (name.to_owned(), file.to_owned());
        // Without its thread there is no engine, which is found out soon enough.
        let _ = self.to_load.send(Load { name: name.clone(), file: file.clone(), loaded });
        self.loading.push(Loading { name, file, component });
    }

    /// The component `name` from `file`, if somebody wanted it ahead.
    pub(crate) fn ahead(
        &mut self,
        name: &str,
        file: &Path,
    ) -> Option<impl Future<Output = Result<Component, HostError>> + use<>> {
        let at = self.loading.iter().position(|loading| loading.name == name && loading.file == file)?;
        Some(made(self.loading.swap_remove(at).component))
    }

    /// The engine.
    pub(crate) async fn engine(&mut self) -> Result<Engine, HostError> {
        made(&mut self.engine).await
    }

    /// The linker.
    pub(crate) async fn linker(self) -> Result<Linker<State>, HostError> {
        made(self.linker).await
    }
}

/// Makes everything. What nobody waits for any more, nobody needs.
fn work(
    engine_made: oneshot::Sender<Result<Engine, HostError>>,
    linker_made: oneshot::Sender<Result<Linker<State>, HostError>>,
    loads: mpsc::Receiver<Load>,
) {
    let engine = match engine() {
        Ok(engine) => engine,
        Err(error) => return drop(engine_made.send(Err(HostError::Engine(reason(&error))))),
    };
    let _ = engine_made.send(Ok(engine.clone()));
    let linking = engine.clone();
    // The linker is missed by who needs it, if there is no thread for it.
    let _ = spawn("linker", move || drop(linker_made.send(linker(&linking))));
    for Load { name, file, loaded } in loads {
        let _ = loaded.send(compile::load(&engine, &name, &file, None));
    }
}

fn linker(engine: &Engine) -> Result<Linker<State>, HostError> {
    let mut linker = Linker::new(engine);
    link(&mut linker).map_err(|error| HostError::Engine(reason(&error)))?;
    Ok(linker)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

async fn made<T>(
    coming: impl Future<Output = Result<Result<T, HostError>, oneshot::error::RecvError>>,
) -> Result<T, HostError> {
    coming.await.unwrap_or_else(|_| Err(HostError::Engine("a thread that made it has ended".to_owned())))
}
