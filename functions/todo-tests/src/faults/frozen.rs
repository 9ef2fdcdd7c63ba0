//! What is killed must be the same program each time it starts: copies of the components, and a manifest without build commands, so that
//! an edit beside a running test neither rebuilds nor changes anything.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use todo_host::Manifest;
use toml::{Table, Value};

/// The manifests, and where compiled components are kept.
pub struct Frozen {
    pub manifest: PathBuf,
    pub knative: PathBuf,
    pub compiled: PathBuf,
}

/// Builds what is stale and copies it to `folder`; `defaults` are put into the manifest as defaults of its variables, which is how those
/// are set that `todo up` has no setting for.
pub fn freeze(folder: &Path, defaults: &[(&str, &str)]) -> anyhow::Result<Frozen> {
    let root = root();
    let source = root.join("spin.toml");
    let manifest = Manifest::load(&source)?;
    todo_host::build(&manifest, |step| eprintln!("{step}"))?;
    let mut table: Table = std::fs::read_to_string(&source)?.parse()?;
    for component in manifest.components() {
        let copy = folder.join(format!("{}.wasm", component.id));
        std::fs::copy(&component.source, &copy)
            .with_context(|| format!("cannot copy {}", component.source.display()))?;
        let entry = entry(&mut table, &["component", &component.id])?;
        entry.remove("build");
        entry.insert("source".to_owned(), Value::String(copy.display().to_string()));
    }
    for (name, value) in defaults {
        let variable = entry(&mut table, &["variables", name])?;
        // A secret has no default; this one is known to everybody.
        variable.remove("secret");
        variable.insert("default".to_owned(), Value::String((*value).to_owned()));
    }
    let manifest = folder.join("spin.toml");
    std::fs::write(&manifest, toml::to_string(&table)?)?;
    let compiled = root.join("target/compiled");
    Ok(Frozen { manifest, knative: root.join("knative"), compiled })
}

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn entry<'a>(table: &'a mut Table, path: &[&str]) -> anyhow::Result<&'a mut Table> {
    let mut at = table;
    for name in path {
        let found = at.get_mut(*name).and_then(Value::as_table_mut);
        at = found.with_context(|| format!("spin.toml has no [{}]", path.join(".")))?;
    }
    Ok(at)
}
