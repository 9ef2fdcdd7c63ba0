//! `todo precompile`: compiles the components ahead of time, so that an image starts without compiling.

use std::path::PathBuf;

use clap::Args;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::serve;

/// Where to.
#[derive(Args)]
pub struct Precompile {
    /// The folder for the compiled components, `<component>.cwasm` each.
    #[arg(long, default_value = "target/precompiled")]
    output: PathBuf,
}

/// Runs the command.
pub async fn run(precompile: Precompile, config: &Config) -> Outcome {
    let manifest = serve::manifest(config)?;
    serve::build(&manifest).await?;
    let output = &precompile.output;
    std::fs::create_dir_all(output)
        .map_err(|error| Failure::unavailable(format!("cannot make {}: {error}", output.display())))?;
    for component in manifest.components() {
        let read =
            |error| Failure::unavailable(format!("cannot read {}: {error}", component.source.display()));
        let wasm = std::fs::read(&component.source).map_err(read)?;
        let compiled = tokio::task::spawn_blocking(move || todo_host::precompile(&wasm))
            .await
            .map_err(Failure::internal)?;
        let file = output.join(format!("{}.cwasm", component.id));
        std::fs::write(&file, compiled.map_err(Failure::unavailable)?)
            .map_err(|error| Failure::unavailable(format!("cannot write {}: {error}", file.display())))?;
        output::line(file.display());
    }
    Ok(())
}
