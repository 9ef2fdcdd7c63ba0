//! An HTTP trigger's route: an exact path, or everything below one when it ends in `/...`.

/// Where a component's requests arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The path without the trailing wildcard: `/tool-add-task` for `/tool-add-task/...`, empty for `/...`.
    base: String,
    wildcard: bool,
}

impl Route {
    /// The route of everything: what a process that runs one component listens to.
    pub const fn everything() -> Self {
        Self { base: String::new(), wildcard: true }
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!("the route `{text}` does not start with `/`"));
        }
        let (base, wildcard) = match text.strip_suffix("/...") {
            Some(base) => (base, true),
            None => (text, false),
        };
        if base.contains("...") || base.contains(':') || base.contains('*') {
            return Err(format!("the route `{text}` has a pattern; only a trailing `/...` is understood"));
        }
        Ok(Self { base: base.to_owned(), wildcard })
    }

    /// The rest of `path` behind the route (empty for an exact route), or nothing when the route is another's.
    pub fn rest<'path>(&self, path: &'path str) -> Option<&'path str> {
        let rest = path.strip_prefix(self.base.as_str())?;
        match (self.wildcard, rest) {
            (_, "") => Some(""),
            (true, rest) if rest.starts_with('/') => Some(rest),
            _ => None,
        }
    }

    /// The path that the route stands on: Spin's `spin-component-route`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// How exact the route is: of two that match, the larger one wins.
    pub fn precision(&self) -> (usize, bool) {
        (self.base.len(), !self.wildcard)
    }
}
