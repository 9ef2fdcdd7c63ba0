//! The manifest: a Spin manifest (version 2), read strictly.
//!
//! Everything that this host does not offer is refused when the manifest is loaded, so that a component never finds out
//! at its first request that, say, its files are missing. What Spin itself ignores (`tool` sections) is ignored here.

mod route;
mod schema;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use route::Route;
use schema::{Commands, Schema};
use template::Template;

/// The values given to an application's variables, by name.
pub type Variables = BTreeMap<String, String>;

/// An application: its variables and components in the manifest's order.
#[derive(Clone, Debug)]
pub struct Manifest {
    folder: PathBuf,
    variables: BTreeMap<String, schema::Variable>,
    components: Vec<Component>,
}

/// One component of a [`Manifest`].
#[derive(Clone, Debug)]
pub struct Component {
    /// The component's id: the function's one name everywhere.
    pub id: String,
    /// Where its requests arrive, in the manifest's order. Empty when no trigger names it.
    pub routes: Vec<Route>,
    /// The component's `.wasm` file, absolute or relative to the current folder.
    pub source: PathBuf,
    /// How its file is made, when the manifest says so.
    pub build: Option<Build>,
    /// The names of the SQLite databases that it may open.
    pub sqlite_databases: Vec<String>,
    variables: BTreeMap<String, Template>,
    allowed_outbound_hosts: Vec<Template>,
}

/// How a component's file is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Shell commands, run in this order.
    pub commands: Vec<String>,
    /// The folder they run in.
    pub folder: PathBuf,
}

/// Why a manifest cannot be used. Each is for the person who wrote it, or who set its variables, to mend.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("cannot read the manifest {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a Spin manifest, or asks for what this host does not offer.
    #[error("the manifest {} cannot be used: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What stands wrong, and where.
        reason: String,
    },
    /// A required variable has no value.
    #[error("the variable `{0}` is required by the manifest and has no value")]
    VariableMissing(String),
    /// A value was given for a variable that the manifest does not have.
    #[error("the variable `{0}` is not in the manifest")]
    VariableUnknown(String),
    /// An outbound host that no request could match, found once its variables had values.
    #[error("component `{component}`: {reason}")]
    OutboundHost {
        /// The component.
        component: String,
        /// What is wrong with the host.
        reason: String,
    },
}

impl Manifest {
    /// Reads and checks the manifest at `path`. Paths in it are relative to its folder.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ManifestError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ManifestError::Unreadable { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Self::parse(&text, folder).map_err(|reason| ManifestError::Invalid { path: path.to_owned(), reason })
    }

    fn parse(text: &str, folder: PathBuf) -> Result<Self, String> {
        let schema: Schema = toml::from_str(text).map_err(|error| error.to_string())?;
        let (variables, components, triggers) = schema.checked()?;
        let mut components = components
            .into_iter()
            .map(|(id, component)| Component::new(id, component, &folder, &variables))
            .collect::<Result<Vec<_>, String>>()?;
        for (trigger, component) in triggers {
            let route = Route::parse(&trigger)?;
            let component = components
                .iter_mut()
                .find(|candidate| candidate.id == component)
                .ok_or_else(|| format!("the route `{trigger}` names the unknown component `{component}`"))?;
            component.routes.push(route);
        }
        Ok(Self { folder, variables, components })
    }

    /// The folder of the manifest's file.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The components in the manifest's order.
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The component called `id`.
    pub fn component(&self, id: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.id == id)
    }

    /// The names of the application's variables, in alphabetical order.
    pub fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// The variables' values: the given ones, or the manifest's defaults. One that none of `components` uses may lack.
    pub(crate) fn resolve(
        &self,
        given: &Variables,
        components: &[&Component],
    ) -> Result<Variables, ManifestError> {
        if let Some(name) = given.keys().find(|name| !self.variables.contains_key(*name)) {
            return Err(ManifestError::VariableUnknown(name.clone()));
        }
        let mut values = Variables::new();
        for (name, variable) in &self.variables {
            match given.get(name).or(variable.default.as_ref()) {
                Some(value) => drop(values.insert(name.clone(), value.clone())),
                None if components.iter().any(|component| component.uses(name)) => {
                    return Err(ManifestError::VariableMissing(name.clone()));
                }
                None => {}
            }
        }
        Ok(values)
    }
}

impl Component {
    fn new(
        id: String,
        schema: schema::Component,
        folder: &Path,
        variables: &BTreeMap<String, schema::Variable>,
    ) -> Result<Self, String> {
        let template = |text: &String| {
            Template::parse(text, |name| variables.contains_key(name))
                .map_err(|reason| format!("component `{id}`: {reason}"))
        };
        let build = schema.build.map(|build| Build {
            commands: match build.command {
                Commands::One(command) => vec![command],
                Commands::Several(commands) => commands,
            },
            folder: build.workdir.map_or_else(|| folder.to_owned(), |workdir| folder.join(workdir)),
        });
        Ok(Self {
            routes: Vec::new(),
            source: folder.join(schema.source),
            build,
            sqlite_databases: schema.sqlite_databases,
            variables: schema
                .variables
                .iter()
                .map(|(name, text)| Ok((name.clone(), template(text)?)))
                .collect::<Result<_, String>>()?,
            allowed_outbound_hosts: schema
                .allowed_outbound_hosts
                .iter()
                .map(template)
                .collect::<Result<_, String>>()?,
            id,
        })
    }

    fn uses(&self, variable: &str) -> bool {
        self.variables.values().chain(&self.allowed_outbound_hosts).any(|template| template.uses(variable))
    }

    /// What the component reads through `spin:variables`, once the application's variables have their values.
    pub(crate) fn variables(&self, values: &Variables) -> Variables {
        self.variables.iter().map(|(name, template)| (name.clone(), template.fill(values))).collect()
    }

    /// The hosts that the component may reach, once the application's variables have their values.
    pub(crate) fn outbound_hosts(&self, values: &Variables) -> Vec<String> {
        self.allowed_outbound_hosts.iter().map(|template| template.fill(values)).collect()
    }
}

#[cfg(test)]
mod tests;
