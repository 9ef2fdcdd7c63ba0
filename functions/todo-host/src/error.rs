//! Why functions cannot be started. All of these are for the operator; requests fail with HTTP statuses instead.

use std::path::PathBuf;

use crate::manifest::ManifestError;

/// Why functions cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The manifest, or a value for one of its variables.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A component was asked for that the manifest does not have.
    #[error("the manifest has no component `{0}`")]
    UnknownComponent(String),
    /// A component's file is not there.
    #[error("cannot read the component `{component}` at {}: {source}; build it first", path.display())]
    SourceMissing {
        /// The component.
        component: String,
        /// Its file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A component does not compile, or was precompiled by another version of this program.
    #[error("cannot load the component `{component}`: {reason}")]
    Unloadable {
        /// The component.
        component: String,
        /// What wasmtime said.
        reason: String,
    },
    /// This program was built without its feature `compiler`.
    #[error(
        "this program cannot compile components; give it a `.cwasm` file that a `todo precompile` of its version made"
    )]
    NoCompiler,
    /// A component is not an HTTP component, or imports what this host does not offer.
    #[error("the component `{component}` does not fit this host: {reason}")]
    Unlinkable {
        /// The component.
        component: String,
        /// What wasmtime said.
        reason: String,
    },
    /// The engine itself did not start.
    #[error("the WebAssembly engine did not start: {0}")]
    Engine(String),
}

/// Makes an error of wasmtime one of this crate's: all its causes in one line.
pub(crate) fn reason(error: &wasmtime::Error) -> String {
    format!("{error:#}")
}
