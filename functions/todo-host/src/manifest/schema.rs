//! The manifest's keys as TOML has them. Unknown keys are errors: a key that Spin knows and this host does not is one
//! too.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Schema {
    spin_manifest_version: u32,
    #[serde(rename = "application")]
    _application: Application,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    trigger: Triggers,
    component: toml::Table,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "version")]
    _version: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "authors")]
    _authors: Option<Vec<String>>,
    #[serde(rename = "tool")]
    _tool: Option<toml::Table>,
}

/// An application variable: it has a default or is required.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Variable {
    pub default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    secret: bool,
    #[serde(rename = "description")]
    _description: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpTrigger {
    #[serde(rename = "id")]
    _id: Option<String>,
    route: String,
    component: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Component {
    #[serde(rename = "description")]
    _description: Option<String>,
    pub source: String,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub sqlite_databases: Vec<String>,
    pub build: Option<Build>,
    #[serde(rename = "tool")]
    _tool: Option<toml::Table>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Build {
    pub command: Commands,
    pub workdir: Option<String>,
    /// What `spin watch` looks at; this host looks at what cargo says the file was made from.
    #[serde(rename = "watch")]
    _watch: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Commands {
    One(String),
    Several(Vec<String>),
}

type Checked = (BTreeMap<String, Variable>, Vec<(String, Component)>, Vec<(String, String)>);

impl Schema {
    /// The variables, the components in the file's order, and the (route, component) pairs, or what is wrong.
    pub fn checked(self) -> Result<Checked, String> {
        if self.spin_manifest_version != 2 {
            return Err(format!(
                "`spin_manifest_version` is {}, and only 2 is understood",
                self.spin_manifest_version
            ));
        }
        for (name, variable) in &self.variables {
            variable.check(name)?;
        }
        let components = self
            .component
            .into_iter()
            .map(|(id, value)| match value.try_into::<Component>() {
                Ok(component) => Ok((id, component)),
                Err(error) => Err(format!("component `{id}`: {}", error.message())),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let triggers = self.trigger.http.into_iter().map(|http| (http.route, http.component)).collect();
        Ok((self.variables, components, triggers))
    }
}

impl Variable {
    fn check(&self, name: &str) -> Result<(), String> {
        match (&self.default, self.required) {
            (Some(_), true) => Err(format!("variable `{name}`: it has a default, so it is not `required`")),
            (None, false) => {
                Err(format!("variable `{name}`: give it a `default` or make it `required = true`"))
            }
            (Some(default), false) if self.secret && !default.is_empty() => {
                Err(format!("variable `{name}`: a secret has no default"))
            }
            _ => Ok(()),
        }
    }
}
