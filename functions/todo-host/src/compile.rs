//! From a component's file to machine code: compiled ahead of time, taken from a cache, or compiled now.

#[cfg(feature = "compiler")]
mod compiler;
#[cfg(not(feature = "compiler"))]
#[path = "compile/no_compiler.rs"]
mod compiler;

use std::fs;
use std::io;
use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::{HostError, reason};

pub use compiler::precompile;

/// The ending of precompiled components.
const PRECOMPILED: &str = "cwasm";

/// Loads the component `name` from `file`, which may be precompiled. Keeps what it compiles in the folder `cache`.
pub fn load(engine: &Engine, name: &str, file: &Path, cache: Option<&Path>) -> Result<Component, HostError> {
    if file.extension().is_some_and(|extension| extension == PRECOMPILED) {
        fs::metadata(file).map_err(|source| missing(name, file, source))?;
        return mapped(engine, file).map_err(|error| unloadable(name, &error));
    }
    let wasm = fs::read(file).map_err(|source| missing(name, file, source))?;
    compiler::compiled(engine, name, &wasm, cache)
}

fn mapped(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is machine code and is trusted like this program's own: it comes from the image, or from the
    // cache that belongs to the same user. Wasmtime checks that it was made by the same version for the same machine.
    unsafe { Component::deserialize_file(engine, file) }
}

fn unloadable(name: &str, error: &wasmtime::Error) -> HostError {
    HostError::Unloadable { component: name.to_owned(), reason: reason(error) }
}

fn missing(name: &str, file: &Path, source: io::Error) -> HostError {
    HostError::SourceMissing { component: name.to_owned(), path: file.to_owned(), source }
}
