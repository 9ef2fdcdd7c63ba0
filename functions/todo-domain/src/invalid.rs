//! A mistake in what the caller sent, worded so that a model (or a person) can mend it without reading documentation.

/// What is wrong with one argument, and what would be right. Its `Display` is the text a tool answers with.
///
/// It may quote the caller's own input: show it to the caller, do not log it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}. {hint}")]
pub struct Invalid {
    /// The argument's name as on the wire, such as `due` or `tags[2]`.
    pub field: String,
    /// What is wrong, as a phrase without a full stop.
    pub problem: String,
    /// What to send instead, as a sentence.
    pub hint: String,
}

impl Invalid {
    /// Names the field, says what is wrong and what to send instead.
    pub fn new(field: impl Into<String>, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        let (field, problem, hint) = (field.into(), problem.into(), hint.into());
        Self { field, problem, hint }
    }
}

/// The caller's text as an error may quote it: short, on one line.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 60;
    let shown: String = text.chars().take(SHOWN).collect();
    let ellipsis = if text.chars().count() > SHOWN { "…" } else { "" };
    format!("{shown:?}{ellipsis}")
}
