//! `todo precompile`: compiles the components ahead of time, so that an image starts without compiling.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::serve;

/// From where, for what, and where to.
#[derive(Args)]
pub struct Precompile {
    /// The folder for the compiled components, `<component>.cwasm` each.
    #[arg(long, default_value = "target/precompiled")]
    output: PathBuf,
    /// For any machine of this triple, which is of this machine's kind (`x86_64-unknown-linux-musl`). Without it the result may use all
    /// that this processor can do, and so may be refused elsewhere.
    #[arg(long)]
    target: Option<String>,
    /// Take the components' files from this folder and build nothing. Without it they are built as spin.toml says.
    #[arg(long)]
    components: Option<PathBuf>,
}

/// Runs the command.
pub async fn run(precompile: Precompile, config: &Config) -> Outcome {
    let manifest = serve::manifest(config)?;
    if precompile.components.is_none() {
        serve::build(&manifest).await?;
    }
    let output = &precompile.output;
    std::fs::create_dir_all(output)
        .map_err(|error| Failure::unavailable(format!("cannot make {}: {error}", output.display())))?;
    for component in manifest.components() {
        let source = source(precompile.components.as_deref(), &component.source);
        let wasm = std::fs::read(&source)
            .map_err(|error| Failure::unavailable(format!("cannot read {}: {error}", source.display())))?;
        let target = precompile.target.clone();
        let compiled = tokio::task::spawn_blocking(move || todo_host::precompile(&wasm, target.as_deref()))
            .await
            .map_err(Failure::internal)?;
        let file = output.join(format!("{}.cwasm", component.id));
        std::fs::write(&file, compiled.map_err(Failure::unavailable)?)
            .map_err(|error| Failure::unavailable(format!("cannot write {}: {error}", file.display())))?;
        output::line(file.display());
    }
    Ok(())
}

/// The component's file: where the manifest says, or of the same name in `folder`.
fn source(folder: Option<&Path>, source: &Path) -> PathBuf {
    match (folder, source.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => source.to_owned(),
    }
}
