//! Whether a component is newer than everything it is made from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::manifest::Build;

/// Files that change what cargo makes and that it names nowhere.
const BESIDE_SOURCES: [&str; 3] = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml"];

/// Remembers what was seen on the disk: components share most of their sources.
#[derive(Default)]
pub struct Freshness {
    times: BTreeMap<PathBuf, Option<SystemTime>>,
}

impl Freshness {
    /// Whether `component`, made by `build`, needs no building.
    pub fn is_fresh(&mut self, component: &Path, build: &Build) -> bool {
        let Some(made) = made(component, build) else { return false };
        let Some(sources) = sources(component) else { return false };
        let manifests = sources.iter().flat_map(|source| source.ancestors().skip(1)).collect::<BTreeSet<_>>();
        let beside = manifests.iter().flat_map(|folder| BESIDE_SOURCES.map(|name| folder.join(name)));
        sources.iter().all(|source| self.time(source).is_some_and(|time| time <= made))
            && beside.into_iter().all(|file| self.time(&file).is_none_or(|time| time <= made))
    }

    fn time(&mut self, file: &Path) -> Option<SystemTime> {
        if let Some(time) = self.times.get(file) {
            return *time;
        }
        let time = modified(file);
        self.times.insert(file.to_owned(), time);
        time
    }
}

/// Notes that `build` has just made `component`, or found nothing to do, which leaves the file as old as it was. A note
/// that cannot be written costs the next start a call of cargo.
pub fn mark(component: &Path, build: &Build) {
    if let Err(error) = fs::write(note(component), build.commands.join("\n")) {
        tracing::debug!("cannot note that {} was built: {error}", component.display());
    }
}

/// When `component` was last made by these commands. Without a note somebody else built it, commonly by hand.
fn made(component: &Path, build: &Build) -> Option<SystemTime> {
    let made = modified(component)?;
    match fs::read_to_string(note(component)) {
        Ok(commands) if commands == build.commands.join("\n") => {
            Some(modified(&note(component)).unwrap_or(made).max(made))
        }
        Ok(_) => None,
        Err(_) => Some(made),
    }
}

fn note(component: &Path) -> PathBuf {
    component.with_extension("built")
}

fn modified(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

/// The sources of `component` as cargo noted them, or nothing when it was not cargo.
fn sources(component: &Path) -> Option<Vec<PathBuf>> {
    let text = fs::read_to_string(component.with_extension("d")).ok()?;
    let (_, files) = text.split_once(':')?;
    Some(files.lines().next().map(paths).unwrap_or_default())
}

/// Paths divided by spaces; a space inside one is escaped.
fn paths(line: &str) -> Vec<PathBuf> {
    let escaped = line.replace("\\ ", "\0");
    escaped.split_whitespace().map(|path| PathBuf::from(path.replace('\0', " "))).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use super::*;

    struct Project {
        folder: tempfile::TempDir,
        build: Build,
    }

    impl Project {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let build = Build { commands: vec!["make".into()], folder: folder.path().to_owned() };
            let project = Self { folder, build };
            project.write("a source.rs", "");
            project.write("a.wasm", "");
            let source = project.path("a source.rs").display().to_string().replace(' ', "\\ ");
            project.write("a.d", &format!("{}: {source}\n", project.path("a.wasm").display()));
            for file in ["a source.rs", "a.d"] {
                project.age(file, 60);
            }
            project.age("a.wasm", 30);
            project
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.path(name), text).unwrap();
        }

        fn age(&self, name: &str, seconds: u64) {
            let file = fs::File::options().write(true).open(self.path(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
        }

        fn is_fresh(&self) -> bool {
            Freshness::default().is_fresh(&self.path("a.wasm"), &self.build)
        }
    }

    #[test]
    fn a_component_newer_than_its_sources_is_fresh() {
        assert!(Project::new().is_fresh());
    }

    #[test]
    fn a_changed_source_makes_it_stale() {
        let project = Project::new();
        project.age("a source.rs", 10);
        assert!(!project.is_fresh());
    }

    #[test]
    fn a_removed_source_makes_it_stale() {
        let project = Project::new();
        fs::remove_file(project.path("a source.rs")).unwrap();
        assert!(!project.is_fresh());
    }

    #[test]
    fn a_changed_manifest_makes_it_stale_until_cargo_has_looked() {
        let project = Project::new();
        project.write("Cargo.toml", "");
        assert!(!project.is_fresh());
        mark(&project.path("a.wasm"), &project.build);
        assert!(project.is_fresh());
    }

    #[test]
    fn another_command_makes_it_stale() {
        let mut project = Project::new();
        mark(&project.path("a.wasm"), &project.build);
        project.build.commands = vec!["make better".into()];
        assert!(!project.is_fresh());
    }

    #[test]
    fn a_component_without_a_list_of_sources_is_stale() {
        let project = Project::new();
        fs::remove_file(project.path("a.d")).unwrap();
        assert!(!project.is_fresh());
    }
}
