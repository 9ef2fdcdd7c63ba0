//! Compiling: for an image, or now, and then kept in a cache.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use super::{PRECOMPILED, mapped, unloadable};
use crate::engine::config;
use crate::error::{HostError, reason};

/// Compiles a component ahead of time: the result loads in a millisecond, in this version of this program.
///
/// With a `target`, the triple of this kind of machine, it runs on any machine of that kind, and equal input gives equal
/// bytes whatever machine it is made on: that is for images. Without one it may use all that this processor can do.
pub fn precompile(wasm: &[u8], target: Option<&str>) -> Result<Vec<u8>, HostError> {
    let config = ahead_of_time(target).map_err(|error| HostError::Engine(reason(&error)))?;
    let engine = Engine::new(&config).map_err(|error| HostError::Engine(reason(&error)))?;
    engine.precompile_component(wasm).map_err(|error| unloadable("", &error))
}

/// What every host of this version loads, without what nobody looks at in a deployment: a quarter of the file. Traces of
/// traps name the WebAssembly functions all the same, and only lack the offset in them; and nothing unwinds through
/// components, because wasmtime takes panics across them itself.
fn ahead_of_time(target: Option<&str>) -> wasmtime::Result<Config> {
    let mut config = config();
    config.generate_address_map(false).native_unwind_info(false);
    if let Some(target) = target {
        config.target(target)?;
    }
    Ok(config)
}

/// Compiles a component, or takes it from the folder `cache`, and keeps it there.
pub fn compiled(
    engine: &Engine,
    name: &str,
    wasm: &[u8],
    cache: Option<&Path>,
) -> Result<Component, HostError> {
    let component = match cache {
        Some(folder) => cached(engine, name, wasm, folder),
        None => Component::new(engine, wasm),
    };
    component.map_err(|error| unloadable(name, &error))
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
