//! Finds what a clause says beside its title: dates, recurrence, reminders, priority, tags, a description.

use std::ops::Range;

use jiff::Zoned;

use crate::reading::Remind;
use crate::remind::reminders;
use crate::repeat::{Repeat, repeat};
use crate::text::among;
use crate::text::{Token, strip_quotes};
use crate::when::{When, when};

/// One thing said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Slot {
    When(When),
    Repeat(Box<Repeat>),
    Remind(Vec<Remind>),
    Priority(&'static str),
    Tags(Vec<String>),
    Description(String),
}

/// A slot and the tokens that say it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    pub range: Range<usize>,
    pub slot: Slot,
}

/// All slots of a clause, from left to right, none overlapping another.
pub(crate) fn slots(text: &str, tokens: &[Token], reminding: bool, now: &Zoned) -> Vec<Found> {
    let asked =
        reminding || tokens.iter().any(|token| token.is_any("remind|reminder|reminders|alert|notify|ping"));
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match slot(text, tokens, at, asked, now) {
            Some((slot, used)) if used > 0 => {
                found.push(Found { range: at..at + used, slot });
                at += used;
            }
            _ => at += 1,
        }
    }
    one_recurrence(found)
}

/// "a weekly review on Mondays" comes again once a week: the days say when, and the word before them is the thing's name.
fn one_recurrence(mut found: Vec<Found>) -> Vec<Found> {
    let repeats = |slot: &Slot| match slot {
        Slot::Repeat(repeat) => Some(repeat.clone()),
        _ => None,
    };
    let Some(named) = found.iter().position(|found| repeats(&found.slot).is_some_and(|it| it.is_bare()))
    else {
        return found;
    };
    let Some(bare) = found.get(named).and_then(|found| repeats(&found.slot)) else { return found };
    for further in found.iter_mut().skip(named + 1) {
        if let Slot::Repeat(exact) = &mut further.slot
            && exact.makes_exact(&bare)
        {
            exact.interval = bare.interval;
            found.remove(named);
            break;
        }
    }
    found
}

fn slot(text: &str, tokens: &[Token], at: usize, asked: bool, now: &Zoned) -> Option<(Slot, usize)> {
    if tokens.get(at)?.is_quoted() {
        return None;
    }
    description(text, tokens, at)
        .map(|(words, used)| (Slot::Description(words), used))
        .or_else(|| tags(text, tokens, at).map(|(tags, used)| (Slot::Tags(tags), used)))
        .or_else(|| reminders(tokens, at, asked, now).map(|(remind, used)| (Slot::Remind(remind), used)))
        .or_else(|| repeat(tokens, at, now).map(|(repeat, used)| (Slot::Repeat(Box::new(repeat)), used)))
        .or_else(|| priority(tokens, at).map(|(priority, used)| (Slot::Priority(priority), used)))
        .or_else(|| when(tokens, at, now).map(|(when, used)| (Slot::When(when), used)))
}

/// The contract's word for a level of priority.
pub(crate) fn level(word: &str) -> Option<&'static str> {
    Some(match word {
        "low" | "lowest" | "lower" | "minor" | "p4" => "low",
        "medium" | "normal" | "moderate" | "mid" | "p3" => "medium",
        "high" | "higher" | "important" | "p2" => "high",
        "urgent" | "highest" | "top" | "critical" | "asap" | "p1" => "urgent",
        _ => return None,
    })
}

const PRIORITY: &str = "priority|prio|importance|priorities";

/// "high priority", "priority: high", "p1", "!urgent", "asap", "as urgent"; a bare "urgent" only at an edge of the clause.
pub(crate) fn priority(tokens: &[Token], at: usize) -> Option<(&'static str, usize)> {
    let is = |index: usize, words: &str| tokens.get(index).is_some_and(|token| token.is_any(words));
    let word = |index: usize| {
        tokens.get(index).filter(|token| token.is_word()).map_or("", |token| token.low.as_str())
    };
    let led = tokens
        .get(at..)
        .unwrap_or_default()
        .iter()
        .take_while(|token| token.is_any("with|at|as|a|an|in|of|set|the|it's|its|is|very|(|make|it|this"))
        .count()
        .min(4);
    for start in [at + led, at] {
        if is(start, PRIORITY) {
            let link = usize::from(is(start + 1, ":|is|to|=|of|level"));
            if let Some(level) = level(word(start + 1 + link)) {
                return Some((level, start + 2 + link - at));
            }
            if let Some(level) = numbered(word(start + 1 + link)) {
                return Some((level, start + 2 + link - at));
            }
        }
        let hyphen = word(start)
            .split_once('-')
            .filter(|(_, noun)| PRIORITY.contains(noun))
            .and_then(|(name, _)| level(name));
        if let Some(level) = hyphen {
            return Some((level, start + 1 - at));
        }
        if let Some(level) = level(word(start)) {
            if is(start + 1, PRIORITY) {
                return Some((level, start + 2 - at));
            }
            if matches!(word(start), "p1" | "p2" | "p3" | "p4" | "asap") {
                return Some((level, start + 1 - at));
            }
        }
    }
    if is(at, "!")
        && tokens.get(at + 1).is_some_and(|next| next.start == tokens.get(at).map_or(0, |mark| mark.end))
    {
        return level(word(at + 1)).map(|level| (level, 2));
    }
    edge_word(tokens, at, led)
}

fn numbered(word: &str) -> Option<&'static str> {
    match word {
        "1" | "one" => Some("urgent"),
        "2" | "two" => Some("high"),
        "3" | "three" => Some("medium"),
        "4" | "four" => Some("low"),
        _ => None,
    }
}

/// "urgent: call the bank", "call the bank, urgent", "it's important"
fn edge_word(tokens: &[Token], at: usize, led: usize) -> Option<(&'static str, usize)> {
    let start = at + led;
    let token = tokens.get(start)?;
    let level = match token.low.as_str() {
        "urgent" | "critical" | "urgently" => "urgent",
        "important" => "high",
        _ => return None,
    };
    let before = start.checked_sub(1).and_then(|index| tokens.get(index));
    let next = tokens.get(start + 1);
    let opens = before.is_none() && next.is_some_and(|next| next.is_any(":|-|,|!"));
    let closes = next.is_none_or(|next| !next.is_word())
        && (led > 0 || before.is_some_and(|mark| mark.is_any(",|-|(|:")));
    let spoken = tokens.get(at..start).unwrap_or_default().iter().any(|token| token.is_any("as|it's|is"));
    if opens {
        return Some((level, led + 2));
    }
    let paren = usize::from(next.is_some_and(|next| next.is(")")));
    (closes || spoken && next.is_none_or(|next| next.is_any("and|,|."))).then_some((level, led + 1 + paren))
}

/// "#home", "@work", "tagged home and garden", "with the tags a, b", "tag it home"
fn tags(text: &str, tokens: &[Token], at: usize) -> Option<(Vec<String>, usize)> {
    if let Some(tag) = sigil(text, tokens.get(at)?) {
        return Some((vec![tag], 1));
    }
    let is = |index: usize, words: &str| tokens.get(index).is_some_and(|token| token.is_any(words));
    let mut end = at + usize::from(is(at, "and|,"));
    end += usize::from(is(end, "with|under|using"));
    end += usize::from(is(end, "the|a"));
    let verb = is(end, "tag|label|tagged|labeled|labelled");
    let noun = is(end, "tags|labels|tag|label") && (end > at || is(end + 1, ":"));
    if !(verb && (end > at || !is(end, "tag|label") || is(end + 1, "it|this|that")) || noun) {
        return None;
    }
    end += 1;
    end += usize::from(is(end, "it|this|that|them"));
    end += usize::from(is(end, "as|with|under|:|is|to"));
    end += usize::from(is(end, "the|a") && is(end + 1, "tag|tags|label|labels")) * 2;
    let (tags, used) = tag_list(text, tokens, end)?;
    Some((tags, end + used - at))
}

/// `#home`; `#3` is a task's number, and so is `@3`.
fn sigil(text: &str, token: &Token) -> Option<String> {
    let raw = text.get(token.start..token.end)?;
    let name = raw.strip_prefix(['#', '@']).filter(|_| token.is_word())?;
    let name = name.trim_end_matches("'s");
    name.chars().any(char::is_alphabetic).then(|| name.to_owned())
}

/// Words that do not continue a list of tags.
const NOT_TAGS: &str = "due|by|on|at|with|priority|remind|high|low|medium|urgent|every|for|and|tomorrow|today|\
    tonight|next|in|set|make|mark|add|delete|remove|move|to|the|a|show|list|complete|please|\
    it|task|tasks|from|also|change|rename|then|daily|weekly|monthly";

/// "home", "home and garden", "a, b, c"
pub(crate) fn tag_list(text: &str, tokens: &[Token], at: usize) -> Option<(Vec<String>, usize)> {
    let mut tags = vec![tag(text, tokens.get(at)?)?];
    let mut end = at + 1;
    loop {
        let joints =
            tokens.get(end..).unwrap_or_default().iter().take_while(|token| token.is_any(",|and|&")).count();
        let next =
            tokens.get(end + joints).filter(|_| joints > 0 && joints <= 2).and_then(|token| tag(text, token));
        match next {
            Some(next) => tags.push(next),
            None => return Some((tags, end - at)),
        }
        end += joints + 1;
    }
}

fn tag(text: &str, token: &Token) -> Option<String> {
    let raw = text.get(token.start..token.end)?;
    if token.is_quoted() {
        return Some(strip_quotes(raw).to_owned()).filter(|tag| !tag.is_empty());
    }
    let name = raw.trim_start_matches(['#', '@']);
    let fits =
        token.is_word() && !among(token.low.as_str(), NOT_TAGS) && name.chars().any(char::is_alphabetic);
    fits.then(|| name.to_owned())
}

/// "description: …", "with the note …", "details: …": all the rest of the clause, or a quoted phrase.
fn description(text: &str, tokens: &[Token], at: usize) -> Option<(String, usize)> {
    let is = |index: usize, words: &str| tokens.get(index).is_some_and(|token| token.is_any(words));
    let mut end = at + tokens.get(at..)?.iter().take_while(|token| token.is_any(",|and|.")).count();
    let with = usize::from(is(end, "with"));
    end += with;
    end += usize::from(is(end, "a|the|as"));
    if !is(end, "description|note|notes|details|desc|comment") {
        return None;
    }
    end += 1;
    let link = tokens
        .get(end..)?
        .iter()
        .take_while(|token| token.is_any(":|saying|that|says|is|of|-|to"))
        .count()
        .min(2);
    let sure = with > 0 || is(end, ":|saying");
    end += link;
    let first = tokens.get(end).filter(|_| sure)?;
    if first.is_quoted() {
        return Some((strip_quotes(text.get(first.start..first.end)?).to_owned(), end + 1 - at));
    }
    let last = tokens.last()?;
    let words = text.get(first.start..last.end)?.trim().to_owned();
    Some((words, tokens.len() - at))
}
