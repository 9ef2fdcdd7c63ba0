//! Builds components by the manifest's own commands, when they are missing or older than what they are made from.
//!
//! Cargo itself takes a good part of a second to find out that nothing is to be done, for each command. So it is asked
//! only when a file that it named as a source (the `.d` file beside the component), or a manifest of its, is newer.

mod command;
mod freshness;

use std::fmt;
use std::io;
use std::process::ExitStatus;

use crate::manifest::Manifest;
use command::Command;
use freshness::{Freshness, mark};

/// What is about to be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The components that the command builds.
    pub components: Vec<String>,
    /// The command.
    pub command: String,
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Building {}: {}", self.components.join(", "), self.command)
    }
}

/// Why a component could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The command did not start.
    #[error("cannot run the build command `{command}`: {source}")]
    NotStarted {
        /// The command.
        command: String,
        /// What the system said.
        source: io::Error,
    },
    /// The command failed; what it said stands on the standard error.
    #[error("the build command `{command}` failed ({status}); it says why above")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The command ran and the component is still not there.
    #[error("the build command `{command}` did not make {file}")]
    NothingMade {
        /// The command.
        command: String,
        /// The component's file.
        file: String,
    },
}

/// Builds the components of `manifest` that need it, calling `progress` before each command. The commands' own output
/// goes to the standard error. Blocks while they run.
pub fn build(manifest: &Manifest, mut progress: impl FnMut(&Step)) -> Result<(), BuildError> {
    let mut freshness = Freshness::default();
    let stale = manifest.components().iter().filter_map(|component| {
        let build = component.build.as_ref()?;
        (!freshness.is_fresh(&component.source, build)).then_some((component, build))
    });
    let commands = command::together(stale);
    for command in &commands {
        progress(&command.step());
        run(command)?;
    }
    Ok(())
}

fn run(command: &Command<'_>) -> Result<(), BuildError> {
    let text = command.text();
    let status = command
        .process()
        .status()
        .map_err(|source| BuildError::NotStarted { command: text.clone(), source })?;
    if !status.success() {
        return Err(BuildError::Failed { command: text, status });
    }
    for (component, build) in command.components() {
        if !component.source.exists() {
            return Err(BuildError::NothingMade {
                command: text,
                file: component.source.display().to_string(),
            });
        }
        mark(&component.source, build);
    }
    Ok(())
}
