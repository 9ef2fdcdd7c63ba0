//! The words of a text, as both databases index and find them.
//!
//! Each database would cut a text into words in its own way (Postgres finds URLs and signed numbers, SQLite drops accents). So
//! the words are cut here: lower case, split at everything that is not a letter or digit. The database only compares.

/// A longer word is cut: Postgres keeps none of more than 2,046 bytes, and nobody types one.
const WORD_LIMIT: usize = 64;

/// The distinct words of a text, in order.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
        let word: String = word.chars().take(WORD_LIMIT).collect();
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// What is indexed of a task: its words separated by single spaces.
pub(crate) fn indexed(title: &str, description: Option<&str>) -> String {
    words(&format!("{title} {}", description.unwrap_or_default())).join(" ")
}
