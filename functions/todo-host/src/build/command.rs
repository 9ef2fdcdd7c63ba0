//! The manifest's commands, several components' in one call of cargo where they differ only in the package.

use std::path::{Path, PathBuf};
use std::process;

use super::Step;
use crate::manifest::{Build, Component};

/// The folder of cargo's target directory that components are made in.
const TARGET: &str = "wasm32-wasip2";

/// One shell command and the components it builds.
pub struct Command<'m> {
    /// The command up to the packages.
    start: String,
    /// The packages, when cargo builds several at once.
    packages: Vec<String>,
    components: Vec<(&'m Component, &'m Build)>,
}

/// The commands that build `stale`, as few as are needed.
pub fn together<'m>(stale: impl Iterator<Item = (&'m Component, &'m Build)>) -> Vec<Command<'m>> {
    let mut commands: Vec<Command<'m>> = Vec::new();
    for (component, build) in stale {
        let next = Command::new(component, build);
        match commands.iter_mut().find(|command| command.joins(&next)) {
            Some(command) => {
                command.packages.extend(next.packages);
                command.components.extend(next.components);
            }
            None => commands.push(next),
        }
    }
    commands
}

impl<'m> Command<'m> {
    fn new(component: &'m Component, build: &'m Build) -> Self {
        let components = vec![(component, build)];
        let whole = build.commands.join(" && ");
        match whole.rsplit_once(" -p ") {
            Some((start, package)) if is_cargo(start) && is_name(package) => {
                Self { start: start.to_owned(), packages: vec![package.to_owned()], components }
            }
            _ => Self { start: whole, packages: Vec::new(), components },
        }
    }

    fn joins(&self, other: &Self) -> bool {
        let place = |command: &Self| {
            command
                .components
                .first()
                .map(|(component, build)| (target(&component.source), build.folder.clone()))
        };
        !self.packages.is_empty()
            && !other.packages.is_empty()
            && self.start == other.start
            && place(self) == place(other)
    }

    /// The components that the command builds.
    pub fn components(&self) -> &[(&'m Component, &'m Build)] {
        &self.components
    }

    /// The command as a shell takes it.
    pub fn text(&self) -> String {
        self.packages.iter().fold(self.start.clone(), |text, package| format!("{text} -p {package}"))
    }

    /// What is told before it runs.
    pub fn step(&self) -> Step {
        let components = self.components.iter().map(|(component, _)| component.id.clone()).collect();
        Step { components, command: self.text() }
    }

    /// The process. Its standard output goes where its errors do: ours may be read by a program.
    pub fn process(&self) -> process::Command {
        let mut process = process::Command::new("sh");
        process.arg("-c").arg(format!("exec 1>&2; {}", self.text()));
        if let Some((component, build)) = self.components.first() {
            if !build.folder.as_os_str().is_empty() {
                process.current_dir(&build.folder);
            }
            // The manifest says where the component will be, whatever target directory the caller has chosen for itself.
            if let Some(target) =
                target(&component.source).and_then(|target| std::path::absolute(target).ok())
            {
                process.env("CARGO_TARGET_DIR", target);
            }
        }
        process
    }
}

fn is_cargo(command: &str) -> bool {
    command.starts_with("cargo build ")
        && command.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_=".contains(&byte))
}

fn is_name(package: &str) -> bool {
    !package.is_empty() && package.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The target directory that `source` lies in, when it is cargo's.
fn target(source: &Path) -> Option<PathBuf> {
    let folder = source.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == TARGET))?;
    folder.parent().map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::manifest::Manifest;

    fn commands(components: &[(&str, &str)]) -> Vec<(Vec<String>, String)> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spin.toml");
        let mut text = "spin_manifest_version = 2\n[application]\nname = \"a\"\n[trigger]\n".to_owned();
        for (id, command) in components {
            text += &format!(
                "[component.{id}]\nsource = \"target/wasm32-wasip2/x/{id}.wasm\"\nbuild.command = \"{command}\"\n"
            );
        }
        std::fs::write(&file, text).unwrap();
        let manifest = Manifest::load(&file).unwrap();
        let stale =
            manifest.components().iter().map(|component| (component, component.build.as_ref().unwrap()));
        together(stale).iter().map(|command| (command.step().components, command.text())).collect()
    }

    #[test]
    fn cargo_builds_packages_of_one_kind_in_one_call() {
        let built = commands(&[
            ("a", "cargo build --profile x -p a"),
            ("other", "make other"),
            ("b", "cargo build --profile x -p b"),
            ("c", "cargo build --profile y -p c"),
        ]);
        assert_eq!(
            built,
            [
                (vec!["a".into(), "b".into()], "cargo build --profile x -p a -p b".into()),
                (vec!["other".into()], "make other".into()),
                (vec!["c".into()], "cargo build --profile y -p c".into()),
            ]
        );
    }

    #[test]
    fn commands_that_do_more_than_build_a_package_stay_alone() {
        let built = commands(&[("a", "cargo build && cp -p a"), ("b", "cargo build && cp -p b")]);
        assert_eq!(built.len(), 2);
    }
}
