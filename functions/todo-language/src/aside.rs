//! Messages that need no tool: greetings, thanks, questions about what this is.

use crate::clause::Clause;
use crate::consent::{Consent, consent};
use crate::reading::Aside;

/// What a message without a command is. `None` when it says nothing that we know.
pub(crate) fn aside(clause: Clause<'_>, text: &str) -> Option<Aside> {
    let words: Vec<&str> =
        clause.tokens.iter().filter(|token| token.is_word()).map(|token| token.low.as_str()).collect();
    let line = format!(" {} ", words.join(" "));
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| line.contains(&format!(" {phrase} ")));
    let opens = |phrases: &[&str]| phrases.iter().any(|phrase| line.starts_with(&format!(" {phrase} ")));
    if words.is_empty() {
        return Some(Aside::Unclear);
    }
    if says(HELP) || matches!(words.as_slice(), ["help"] | ["help", "me"] | ["commands"] | ["help", "please"])
    {
        return Some(Aside::Help);
    }
    if words.len() <= 8 && says(THANKS) {
        return Some(Aside::Thanks);
    }
    if words.len() <= 5 && says(FAREWELL) {
        return Some(Aside::Farewell);
    }
    if words.len() <= 7 && opens(GREETING) {
        return Some(Aside::Greeting);
    }
    match consent(text) {
        Some(Consent::Yes) if words.len() <= 4 => Some(Aside::Yes),
        Some(Consent::No) if words.len() <= 4 => Some(Aside::No),
        _ => None,
    }
}

const HELP: &[&str] = &[
    "what can you do",
    "what can i ask",
    "what can i say",
    "how do you work",
    "how does this work",
    "what do you do",
    "who are you",
    "what are you",
    "how can you help",
    "what can you help",
    "how do i use",
    "what are your capabilities",
    "what else can you do",
    "how do i add",
    "how do i delete",
    "how do i create",
    "how to use",
    "what do you know how to do",
    "how can i use",
    "what is this",
    "what commands",
    "what features",
];
const THANKS: &[&str] = &[
    "thanks",
    "thank you",
    "thx",
    "ty",
    "cheers",
    "thank u",
    "appreciate it",
    "appreciated",
    "well done",
    "good job",
    "nice job",
    "good work",
    "awesome",
    "perfect",
    "great job",
    "you're the best",
    "nice work",
    "nice one",
];
const FAREWELL: &[&str] = &[
    "bye",
    "goodbye",
    "good night",
    "see you",
    "see ya",
    "cya",
    "farewell",
    "good bye",
    "have a nice day",
    "have a good day",
    "talk to you later",
    "later",
];
const GREETING: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "good morning",
    "good afternoon",
    "good evening",
    "hiya",
    "howdy",
    "greetings",
    "yo",
    "how are you",
    "what's up",
    "sup",
    "how's it going",
    "hi there",
    "how do you do",
    "how have you been",
    "how is it going",
];
