//! `{{ name }}` in a component's variables and outbound hosts.

use super::Variables;

/// A text with places for variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable(String),
}

impl Template {
    /// Reads `text`. Every variable in it must be `known`.
    pub fn parse(text: &str, known: impl Fn(&str) -> bool) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after
                .split_once("}}")
                .ok_or_else(|| format!("`{text}` opens a `{{{{` that it does not close"))?;
            let name = name.trim();
            if !known(name) {
                return Err(format!("`{text}` uses the unknown variable `{name}`"));
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self(parts))
    }

    /// Whether `variable` has a place in the text.
    pub fn uses(&self, variable: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Variable(name) if name == variable))
    }

    /// The text with every variable's value in its place.
    pub fn fill(&self, values: &Variables) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(name) => values.get(name).cloned().unwrap_or_default(),
        };
        self.0.iter().map(part).collect()
    }
}
