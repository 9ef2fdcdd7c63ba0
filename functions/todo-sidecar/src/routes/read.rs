//! From files to documents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::de::DeserializeOwned;

use super::manifest::{
    Broker, Head, KafkaSink, KafkaSource, Kustomization, Manifest, Metadata, PingSource, Trigger,
};
use super::{Routes, resolve};

const KUSTOMIZATION: &str = "kustomization.yaml";

/// Why the manifests were refused.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// A file or the directory is not there, or not readable.
    #[error("{file}: {error}")]
    Unreadable {
        /// Which.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// A document is not what it should be.
    #[error("{file}:{line}: {problem}")]
    Invalid {
        /// Which file.
        file: String,
        /// Counted from 1; the document's first line when the mistake has no place of its own.
        line: u64,
        /// What is wrong and what to write instead.
        problem: String,
    },
}

/// Something of a manifest, and where it stands.
pub(super) struct Found<S> {
    pub name: String,
    pub annotations: BTreeMap<String, String>,
    pub spec: S,
    pub file: String,
    pub line: u64,
}

impl<S> Found<S> {
    pub fn refuse(&self, problem: impl Into<String>) -> RoutesError {
        RoutesError::Invalid { file: self.file.clone(), line: self.line, problem: problem.into() }
    }
}

#[derive(Default)]
pub(super) struct Documents {
    pub sources: Vec<Found<KafkaSource>>,
    pub sinks: Vec<Found<KafkaSink>>,
    pub brokers: Vec<Found<Broker>>,
    pub triggers: Vec<Found<Trigger>>,
    pub pings: Vec<Found<PingSource>>,
}

pub(super) fn load(directory: &Path) -> Result<Routes, RoutesError> {
    let path = directory.join(KUSTOMIZATION);
    let text = read_file(&path)?;
    let listed: Kustomization = document(&path.display().to_string(), 1, &text)?;
    refuse_unlisted(directory, &listed.resources)?;
    let mut documents = Documents::default();
    for name in &listed.resources {
        let path = directory.join(name);
        documents.add(&path.display().to_string(), &read_file(&path)?)?;
    }
    resolve::routes(&documents)
}

pub(super) fn parse(files: &[(&str, &str)]) -> Result<Routes, RoutesError> {
    let mut documents = Documents::default();
    for (name, text) in files.iter().filter(|(name, _)| *name != KUSTOMIZATION) {
        documents.add(name, text)?;
    }
    resolve::routes(&documents)
}

fn refuse_unlisted(directory: &Path, listed: &[String]) -> Result<(), RoutesError> {
    let unreadable = |error| RoutesError::Unreadable { file: directory.display().to_string(), error };
    let listed: BTreeSet<&str> = listed.iter().map(String::as_str).chain([KUSTOMIZATION]).collect();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        let is_yaml = name.ends_with(".yaml") || name.ends_with(".yml");
        if is_yaml && !listed.contains(name.as_str()) {
            return Err(RoutesError::Invalid {
                file: directory.join(KUSTOMIZATION).display().to_string(),
                line: 1,
                problem: format!(
                    "{name} stands beside it but not in it: list it under `resources`, or delete it"
                ),
            });
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<String, RoutesError> {
    std::fs::read_to_string(path)
        .map_err(|error| RoutesError::Unreadable { file: path.display().to_string(), error })
}

impl Documents {
    fn add(&mut self, file: &str, text: &str) -> Result<(), RoutesError> {
        for (line, text) in split(text) {
            let head: Head = document(file, line, text)?;
            match (head.api_version.as_str(), head.kind.as_str()) {
                ("sources.knative.dev/v1", "KafkaSource") => self.sources.push(found(file, line, text)?),
                ("sources.knative.dev/v1", "PingSource") => self.pings.push(found(file, line, text)?),
                ("eventing.knative.dev/v1", "Broker") => self.brokers.push(found(file, line, text)?),
                ("eventing.knative.dev/v1", "Trigger") => self.triggers.push(found(file, line, text)?),
                ("eventing.knative.dev/v1alpha1" | "eventing.knative.dev/v1", "KafkaSink") => {
                    self.sinks.push(found(file, line, text)?)
                }
                // How a function runs in a cluster, and what it may reach there: no event's way.
                ("serving.knative.dev/v1", "Service")
                | ("v1", "ServiceAccount")
                | ("networking.k8s.io/v1", "NetworkPolicy") => {}
                (version, kind) => {
                    let problem = format!(
                        "{kind} ({version}) is not understood here; what is: KafkaSource and PingSource \
                         (sources.knative.dev/v1), Broker and Trigger (eventing.knative.dev/v1), KafkaSink \
                         (eventing.knative.dev/v1alpha1)"
                    );
                    return Err(RoutesError::Invalid { file: file.into(), line, problem });
                }
            }
        }
        Ok(())
    }
}

/// A file's documents and the lines they begin at.
fn split(text: &str) -> Vec<(u64, &str)> {
    let mut documents = Vec::new();
    let (mut start, mut line, mut begins) = (0, 1, 1);
    let mut at = 0;
    for row in text.split_inclusive('\n') {
        if row.trim_end() == "---" {
            documents.push((begins, &text[start..at]));
            (start, begins) = (at + row.len(), line + 1);
        }
        at += row.len();
        line += 1;
    }
    documents.push((begins, &text[start..]));
    let empty =
        |text: &str| text.lines().all(|row| row.trim().is_empty() || row.trim_start().starts_with('#'));
    documents.retain(|(_, text)| !empty(text));
    documents
}

fn found<S: DeserializeOwned>(file: &str, line: u64, text: &str) -> Result<Found<S>, RoutesError> {
    let manifest: Manifest<S> = document(file, line, text)?;
    let Metadata { name, annotations } = manifest.metadata;
    Ok(Found { name, annotations, spec: manifest.spec, file: file.into(), line })
}

fn document<T: DeserializeOwned>(file: &str, line: u64, text: &str) -> Result<T, RoutesError> {
    // Behind as many empty lines as it stands behind others, so that every line number is the file's.
    let before = "\n".repeat(usize::try_from(line).unwrap_or(1).saturating_sub(1));
    serde_saphyr::from_str(&format!("{before}{text}")).map_err(|error| {
        let line = error.location().map_or(line, |location| location.line().max(line));
        RoutesError::Invalid { file: file.into(), line, problem: error.without_snippet().to_string() }
    })
}
