//! A host that cannot compile, as in the image: it is smaller, and runs no code but what came with it.

use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::HostError;

/// Refuses: see [`HostError::NoCompiler`].
pub fn precompile(_wasm: &[u8], _target: Option<&str>) -> Result<Vec<u8>, HostError> {
    Err(HostError::NoCompiler)
}

/// Refuses: see [`HostError::NoCompiler`].
pub fn compiled(
    _engine: &Engine,
    _name: &str,
    _wasm: &[u8],
    _cache: Option<&Path>,
) -> Result<Component, HostError> {
    Err(HostError::NoCompiler)
}
