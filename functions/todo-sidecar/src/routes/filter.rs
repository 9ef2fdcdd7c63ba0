//! What of a topic a consumer wants.

use super::manifest::{Attributes, Dialect};
use crate::delivery::Event;

/// Conditions on an event's attributes, all of which must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<(String, Match)>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Match {
    Present,
    Exact(String),
    Prefix(String),
    Suffix(String),
}

impl Filter {
    /// As Knative has it: `filters`, when there are any, replace `filter`; an empty value there means that the attribute is present.
    pub(super) fn of(filter: Option<&Attributes>, filters: &[Dialect]) -> Self {
        let mut conditions = Vec::new();
        if filters.is_empty() {
            for (name, value) in filter.into_iter().flat_map(|filter| &filter.attributes) {
                let wanted = if value.is_empty() { Match::Present } else { Match::Exact(value.clone()) };
                conditions.push((name.clone(), wanted));
            }
        }
        for dialect in filters {
            let exact = dialect.exact.iter().map(|(name, value)| (name, Match::Exact(value.clone())));
            let prefix = dialect.prefix.iter().map(|(name, value)| (name, Match::Prefix(value.clone())));
            let suffix = dialect.suffix.iter().map(|(name, value)| (name, Match::Suffix(value.clone())));
            conditions.extend(exact.chain(prefix).chain(suffix).map(|(name, wanted)| (name.clone(), wanted)));
        }
        Self(conditions)
    }

    /// Whether every condition holds.
    pub fn admits(&self, event: &Event) -> bool {
        self.0.iter().all(|(name, wanted)| match (event.attribute(name), wanted) {
            (None, _) => false,
            (Some(_), Match::Present) => true,
            (Some(value), Match::Exact(wanted)) => value == wanted,
            (Some(value), Match::Prefix(wanted)) => value.starts_with(wanted),
            (Some(value), Match::Suffix(wanted)) => value.ends_with(wanted),
        })
    }
}
