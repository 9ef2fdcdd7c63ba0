//! Is this task's title named in these words?

use crate::text::among;
use crate::text::tokens;

/// How well words name a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TitleMatch {
    /// They share nothing that matters.
    None,
    /// Some of the words are there: probably meant, not surely.
    Loose,
    /// The whole title stands in the words, in its order.
    Exact,
}

/// Words that carry no meaning in a title, and those by which people speak of any task.
const EMPTY: &str = "a|an|the|my|our|your|to|of|for|in|on|at|with|and|or|from|about|by|is|it|that|this|me|i|\
    one|some|task|tasks|todo|to-do|todos|reminder|reminders|item|thing|stuff|all|please|as|up|\
    list|called|named|titled";

/// Compares without regard to case, punctuation and articles.
pub fn title_match(words: &str, title: &str) -> TitleMatch {
    let (said, named) = (plain(words), plain(title));
    if named.is_empty() || said.is_empty() {
        return TitleMatch::None;
    }
    if said.windows(named.len()).any(|window| window == named) {
        return TitleMatch::Exact;
    }
    match likeness(words, title) {
        score if score > 0.0 => TitleMatch::Loose,
        _ => TitleMatch::None,
    }
}

/// How much of the words is in the title, 0 (nothing) to 1 (all of them); below half counts as nothing.
pub(crate) fn likeness(words: &str, title: &str) -> f32 {
    let (said, named) = (content(words), content(title));
    if said.is_empty() || named.is_empty() {
        return 0.0;
    }
    let hits = said.iter().filter(|word| named.iter().any(|other| alike(word, other))).count();
    let share = hits as f32 / said.len() as f32;
    if share < 0.5 { 0.0 } else { share }
}

/// The same title, apart from case, punctuation and articles.
pub(crate) fn same(words: &str, title: &str) -> bool {
    let (said, named) = (plain(words), plain(title));
    !said.is_empty() && said == named
}

fn plain(text: &str) -> Vec<String> {
    let words = || tokens(text).into_iter().filter(|token| token.is_word() || token.is_quoted());
    let kept = words().filter(|token| !matches!(token.low.as_str(), "a" | "an" | "the" | "my"));
    kept.flat_map(|token| inner_words(&token.low)).collect()
}

/// A quoted phrase is one token; compare it by its words.
fn inner_words(low: &str) -> Vec<String> {
    low.split(|c: char| !(c.is_alphanumeric() || c == '\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn content(text: &str) -> Vec<String> {
    let all = plain(text);
    let kept: Vec<String> = all.iter().filter(|word| !among(word.as_str(), EMPTY)).cloned().collect();
    if kept.is_empty() { all } else { kept }
}

/// Equal, or the same word in another form ("dentist's", "reports"), or one slip of the fingers in a long word.
fn alike(one: &str, other: &str) -> bool {
    let (one, other) = (stem(one), stem(other));
    one == other || (one.chars().count() >= 5 && other.chars().count() >= 5 && one_slip(one, other))
}

/// Past forms that no rule finds, and what tasks call them.
const PAST: &str = "paid pay|bought buy|sent send|wrote write|written write|took take|did do|done do|made make|got get|\
    fed feed|met meet|found find|told tell|gave give|brought bring|went go|sold sell|built build|saw see|ran run";

fn stem(word: &str) -> &str {
    let word = word.strip_suffix("'s").unwrap_or(word);
    let past = PAST.split('|').filter_map(|pair| pair.split_once(' ')).find(|(past, _)| *past == word);
    if let Some((_, present)) = past {
        return present;
    }
    for suffix in ["ing", "ed", "es", "s"] {
        if let Some(short) = word.strip_suffix(suffix)
            && short.chars().count() >= 3
        {
            return short;
        }
    }
    word
}

/// One letter more, fewer, different, or two swapped.
fn one_slip(one: &str, other: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(head..).unwrap_or_default(), b.get(head..).unwrap_or_default());
    match (a, b) {
        ([_, rest @ ..], same) if rest == same => true,
        (same, [_, rest @ ..]) if rest == same => true,
        ([_, rest_a @ ..], [_, rest_b @ ..]) if rest_a == rest_b => true,
        ([a1, a2, rest_a @ ..], [b1, b2, rest_b @ ..]) => a1 == b2 && a2 == b1 && rest_a == rest_b,
        _ => false,
    }
}
