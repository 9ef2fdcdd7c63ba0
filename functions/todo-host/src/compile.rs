//! From a component's file to machine code: compiled ahead of time, taken from a cache, or compiled now.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::config;
use crate::error::{HostError, reason};
use crate::limits::Limits;

/// The ending of precompiled components.
const PRECOMPILED: &str = "cwasm";

/// Compiles a component ahead of time, for an image: the result loads in a millisecond, in this version of this program
/// on this kind of machine.
pub fn precompile(wasm: &[u8]) -> Result<Vec<u8>, HostError> {
    let engine =
        Engine::new(&config(&Limits::default(), 1)).map_err(|error| HostError::Engine(reason(&error)))?;
    engine
        .precompile_component(wasm)
        .map_err(|error| HostError::Unloadable { component: String::new(), reason: reason(&error) })
}

/// Loads the component `name` from `file`, which may be precompiled. Keeps what it compiles in the folder `cache`.
pub fn load(engine: &Engine, name: &str, file: &Path, cache: Option<&Path>) -> Result<Component, HostError> {
    let unloadable = |error| HostError::Unloadable { component: name.to_owned(), reason: reason(&error) };
    if file.extension().is_some_and(|extension| extension == PRECOMPILED) {
        readable(name, file)?;
        return mapped(engine, file).map_err(unloadable);
    }
    let wasm = fs::read(file).map_err(|source| missing(name, file, source))?;
    match cache {
        Some(folder) => cached(engine, name, &wasm, folder).map_err(unloadable),
        None => Component::new(engine, &wasm).map_err(unloadable),
    }
}

fn cached(engine: &Engine, name: &str, wasm: &[u8], folder: &Path) -> wasmtime::Result<Component> {
    let entry = folder.join(entry(engine, name, wasm));
    if let Ok(component) = mapped(engine, &entry) {
        return Ok(component);
    }
    let code = engine.precompile_component(wasm)?;
    match store(folder, name, &entry, &code) {
        Ok(()) => mapped(engine, &entry),
        // A cache that cannot be written costs the next start time and this one nothing.
        Err(error) => {
            tracing::warn!("cannot keep compiled components in {}: {error}", folder.display());
            // SAFETY: the bytes were made by this engine a moment ago.
            unsafe { Component::deserialize(engine, &code) }
        }
    }
}

/// A component's name in the cache: its contents and everything about the engine that its code depends on.
fn entry(engine: &Engine, name: &str, wasm: &[u8]) -> String {
    let mut compatibility = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compatibility);
    let contents: String = Sha256::digest(wasm).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{name}-{contents}-{:016x}.{PRECOMPILED}", compatibility.finish())
}

/// Writes beside the entry and renames, so that nobody ever maps half of it: a file that is cut short under a mapping
/// ends the process. Earlier versions of the component are removed: whoever still runs one keeps its mapping.
fn store(folder: &Path, name: &str, entry: &Path, code: &[u8]) -> io::Result<()> {
    // Threads of one process store the same entry too.
    static STORED: AtomicU64 = AtomicU64::new(0);
    fs::create_dir_all(folder)?;
    let (process, count) = (std::process::id(), STORED.fetch_add(1, Ordering::Relaxed));
    let unfinished = PathBuf::from(format!("{}.{process}-{count}", entry.display()));
    fs::File::create_new(&unfinished)?.write_all(code)?;
    fs::rename(unfinished, entry)?;
    for file in fs::read_dir(folder)?.flatten().map(|file| file.path()).filter(|file| file != entry) {
        if file.file_name().is_some_and(|file| is_version_of(name, &file.to_string_lossy())) {
            // Another process may have been quicker.
            let _ = fs::remove_file(file);
        }
    }
    Ok(())
}

/// Whether `file` is a cache entry of `name`, whose hashes follow the name (`tool-add` is not `tool-add-task`).
fn is_version_of(name: &str, file: &str) -> bool {
    let Some(rest) = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let Some((hashes, ending)) = rest.split_once('.') else { return false };
    ending == PRECOMPILED
        && hashes.len() == 64 + 1 + 16
        && hashes.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

fn mapped(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is machine code and is trusted like this program's own: it comes from the image, or from the
    // cache that belongs to the same user. Wasmtime checks that it was made by the same version for the same machine.
    unsafe { Component::deserialize_file(engine, file) }
}

fn readable(name: &str, file: &Path) -> Result<(), HostError> {
    fs::metadata(file).map(drop).map_err(|source| missing(name, file, source))
}

fn missing(name: &str, file: &Path, source: io::Error) -> HostError {
    HostError::SourceMissing { component: name.to_owned(), path: file.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_versions_of_the_same_component_are_replaced() {
        let hashes = format!("{}-{}", "0a".repeat(32), "f".repeat(16));
        assert!(is_version_of("tool-add", &format!("tool-add-{hashes}.cwasm")));
        assert!(!is_version_of("tool-add", &format!("tool-add-task-{hashes}.cwasm")));
        assert!(!is_version_of("tool-add", &format!("tool-add-{hashes}.cwasm.123")));
        assert!(!is_version_of("tool-add", "tool-add-notes.cwasm"));
    }
}
