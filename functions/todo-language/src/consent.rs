//! Reads the answer to an approval question.

use crate::text::{Token, tokens};

/// What the person decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Go ahead.
    Yes,
    /// Leave it.
    No,
}

const YES: &[&str] = &[
    "yes",
    "y",
    "yep",
    "yeah",
    "yup",
    "ya",
    "sure",
    "ok",
    "okay",
    "okey",
    "k",
    "fine",
    "confirm",
    "confirmed",
    "approve",
    "approved",
    "absolutely",
    "definitely",
    "certainly",
    "correct",
    "right",
    "proceed",
    "affirmative",
    "agreed",
    "exactly",
    "indeed",
    "please",
    "perfect",
    "great",
];
const YES_PHRASES: &[&str] = &[
    "go ahead",
    "go for it",
    "do it",
    "do that",
    "do so",
    "of course",
    "sounds good",
    "that's right",
    "that is right",
    "that's fine",
    "by all means",
    "i'm sure",
    "i am sure",
    "delete them",
    "delete it",
    "delete all",
    "remove them",
    "remove it",
    "all of them",
    "both of them",
    "why not",
    "make it so",
    "please do",
];
const NO: &[&str] = &[
    "no",
    "n",
    "nope",
    "nah",
    "never",
    "cancel",
    "stop",
    "don't",
    "dont",
    "abort",
    "negative",
    "keep",
    "wait",
    "nevermind",
    "not",
    "hold",
    "leave",
    "refuse",
    "decline",
    "reject",
    "neither",
    "none",
];
const NO_PHRASES: &[&str] =
    &["never mind", "forget it", "hold on", "leave it", "leave them", "keep them", "no way", "do not"];

/// `None` when the text is neither: then it is a new request.
///
/// A "no" anywhere wins over a "yes": what is not deleted can still be deleted later.
pub fn consent(text: &str) -> Option<Consent> {
    let tokens = tokens(text);
    let words: Vec<&str> =
        tokens.iter().filter(|token| token.is_word()).map(|token| token.low.as_str()).collect();
    // A longer sentence is a request of its own, which must not pass for an approval.
    if words.is_empty() || words.len() > 8 || tokens.iter().any(Token::is_quoted) {
        return None;
    }
    let line = format!(" {} ", words.join(" "));
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| line.contains(&format!(" {phrase} ")));
    if line.contains(" why not ") || line.contains(" no problem ") {
        return Some(Consent::Yes);
    }
    if says(NO_PHRASES) || words.iter().any(|word| NO.contains(word)) {
        return Some(Consent::No);
    }
    let opens = words.first().is_some_and(|word| YES.contains(word));
    (opens || says(YES_PHRASES)).then_some(Consent::Yes)
}
