//! Building, compiling and loading.

use std::path::Path;
use std::process::Command;

use http::StatusCode;
use todo_host::{Functions, HostError, ManifestError, Runtime, Variables, build, precompile};

use crate::world::{FAULTY, World, cache, manifest, variables};

#[tokio::test]
async fn a_built_component_is_not_built_again() {
    let manifest = tokio::task::spawn_blocking(manifest).await.unwrap();
    let mut steps = 0;
    build(manifest, |_| steps += 1).unwrap();
    assert_eq!(steps, 0);
}

#[tokio::test]
async fn a_precompiled_component_runs_without_its_source() {
    let manifest = tokio::task::spawn_blocking(manifest).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faulty.cwasm");
    let wasm = std::fs::read(&manifest.component(FAULTY).unwrap().source).unwrap();
    // As for an image: for any machine of this kind, and every time the same.
    let target = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let code = precompile(&wasm, Some(&target)).unwrap();
    assert!(code == precompile(&wasm, Some(&target)).unwrap());
    std::fs::write(&file, code).unwrap();
    let world = World::load(|builder| builder.only(FAULTY).file(FAULTY, file)).await;
    assert_eq!(world.get("/echo").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_component_that_was_loaded_ahead_is_not_read_again() {
    let manifest = tokio::task::spawn_blocking(manifest).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    // What was read from a pipe is no longer in it.
    let pipe = folder.path().join("faulty.wasm");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut runtime = Runtime::start().unwrap();
    runtime.load_ahead(FAULTY, &pipe);
    let wasm = std::fs::read(&manifest.component(FAULTY).unwrap().source).unwrap();
    std::fs::write(&pipe, wasm).unwrap();
    std::fs::remove_file(&pipe).unwrap();
    let world = World::load(|builder| builder.runtime(runtime).only(FAULTY).file(FAULTY, pipe)).await;
    assert_eq!(world.get("/echo").await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_was_loaded_ahead_is_used_only_by_who_asks_for_that_file() {
    let mut runtime = Runtime::start().unwrap();
    runtime.load_ahead(FAULTY, Path::new("/nowhere/faulty.cwasm"));
    let world = World::load(|builder| builder.runtime(runtime)).await;
    assert_eq!(world.get("/echo").await.0, StatusCode::OK);
}

#[tokio::test]
async fn compiled_components_are_kept_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    World::load(|builder| builder.cache(folder.path())).await;
    let kept = || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect::<Vec<_>>();
    let first = kept();
    assert_eq!(first.len(), 1);
    let made = first[0].metadata().unwrap().modified().unwrap();
    World::load(|builder| builder.cache(folder.path())).await;
    let second = kept();
    assert_eq!((second.len(), second[0].metadata().unwrap().modified().unwrap()), (1, made));
}

#[tokio::test]
async fn a_damaged_cache_is_compiled_over() {
    let folder = tempfile::tempdir().unwrap();
    World::load(|builder| builder.cache(folder.path())).await;
    let entry = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&entry, "not machine code").unwrap();
    let world = World::load(|builder| builder.cache(folder.path())).await;
    assert_eq!(world.get("/echo").await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_loaded_is_named() {
    let manifest = tokio::task::spawn_blocking(manifest).await.unwrap();
    let load = |change: fn(todo_host::Builder<'_>) -> todo_host::Builder<'_>| async move {
        let builder = Functions::builder(manifest).variables(variables()).cache(cache());
        match change(builder).load().await {
            Ok(_) => panic!("it loads"),
            Err(error) => error,
        }
    };
    let error = load(|builder| builder.variables(Variables::new())).await;
    assert!(matches!(error, HostError::Manifest(ManifestError::VariableMissing(name)) if name == "greeting"));
    let error = load(|builder| builder.only("nobody")).await;
    assert!(matches!(error, HostError::UnknownComponent(name) if name == "nobody"));
    let error = load(|builder| builder.file(FAULTY, "/nowhere/faulty.cwasm")).await;
    assert!(matches!(error, HostError::SourceMissing { .. }));
    let error =
        load(|builder| builder.file(FAULTY, concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).await;
    assert!(matches!(error, HostError::Unloadable { .. }), "{error}");
}

#[test]
fn the_applications_manifest_is_one_this_host_runs() {
    let manifest =
        todo_host::Manifest::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../spin.toml")).unwrap();
    for component in manifest.components() {
        assert_eq!(component.routes.len(), 1);
        assert_eq!(component.routes[0].base(), format!("/{}", component.id));
        let file = component.source.file_name().unwrap().to_str().unwrap();
        assert_eq!(file, format!("{}.wasm", component.id.replace('-', "_")));
        assert!(component.build.as_ref().unwrap().commands[0].ends_with(&format!("-p {}", component.id)));
    }
}
