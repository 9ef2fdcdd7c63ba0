//! One clause of a message: its words in order, and the text they were written as.

use std::ops::Range;

use jiff::Zoned;

use crate::slots::{Found, Slot, slots};
use crate::text::{Token, strip_quotes};

/// A stretch of the message that asks for one thing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clause<'a> {
    pub text: &'a str,
    pub tokens: &'a [Token],
    pub now: &'a Zoned,
}

impl<'a> Clause<'a> {
    /// The clause from that token on.
    pub fn from(&self, at: usize) -> Clause<'a> {
        Clause { tokens: self.tokens.get(at..).unwrap_or_default(), ..*self }
    }

    /// The clause up to that token.
    pub fn until(&self, at: usize) -> Clause<'a> {
        Clause { tokens: self.tokens.get(..at).unwrap_or(self.tokens), ..*self }
    }

    pub fn is(&self, at: usize, words: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_any(words))
    }

    /// The lower-case word at `at`; empty for marks, quotes and beyond the end.
    pub fn word(&self, at: usize) -> &'a str {
        self.tokens.get(at).filter(|token| token.is_word()).map_or("", |token| token.low.as_str())
    }

    /// Whether the words of `phrase` stand at `at`.
    pub fn says(&self, at: usize, phrase: &str) -> bool {
        phrase.split(' ').enumerate().all(|(offset, word)| self.is(at + offset, word))
    }

    /// How many tokens the first fitting phrase takes at `at`.
    pub fn phrase(&self, at: usize, phrases: &str) -> usize {
        let fitting = phrases.split('|').filter(|phrase| self.says(at, phrase));
        fitting.map(|phrase| phrase.split(' ').count()).max().unwrap_or(0)
    }

    /// Where one of the words stands first.
    pub fn find(&self, words: &str) -> Option<usize> {
        self.tokens.iter().position(|token| token.is_any(words))
    }

    pub fn has(&self, words: &str) -> bool {
        self.find(words).is_some()
    }

    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    pub fn is_empty(&self) -> bool {
        !self.tokens.iter().any(|token| token.is_word() || token.is_quoted())
    }

    pub fn slots(&self) -> Vec<Found> {
        slots(self.text, self.tokens, false, self.now)
    }

    /// The slots of a clause whose verb already said that this is about reminding.
    pub fn slots_when(&self, reminding: bool) -> Vec<Found> {
        slots(self.text, self.tokens, reminding, self.now)
    }

    /// The text as written, from the first to the last token.
    pub fn written(&self) -> String {
        self.join(std::slice::from_ref(&(0..self.len())))
    }

    /// What is left when the slots are taken out, without the words that only led to them.
    pub fn without(&self, slots: &[Found]) -> String {
        let mut kept = Vec::new();
        let mut at = 0;
        for found in slots {
            kept.push(at..self.back_over(at, found));
            at = found.range.end;
        }
        kept.push(at..self.len());
        let kept: Vec<Range<usize>> = kept.into_iter().filter(|range| range.start < range.end).collect();
        self.join(&kept)
    }

    /// A comma or an "and" before a slot goes with it.
    fn back_over(&self, from: usize, found: &Found) -> usize {
        let mut end = found.range.start;
        let leads: &str = match found.slot {
            Slot::When(_) | Slot::Repeat(_) => ",|due|-|(|it's",
            _ => ",|and|with|-|(|at|as|set",
        };
        while end > from && self.is(end - 1, leads) {
            end -= 1;
        }
        end
    }

    /// The pieces as written, trimmed and joined by single blanks. A wholly quoted text loses its quotes.
    fn join(&self, ranges: &[Range<usize>]) -> String {
        let whole: Vec<&Token> =
            ranges.iter().flat_map(|range| self.tokens.get(range.clone()).unwrap_or_default()).collect();
        let ends = |token: &Token| token.is_any(ENDS);
        let head = whole.iter().take_while(|token| token.is_any(",|:|;|-|–|—|.|)|!|?|*|•")).count();
        let tail = whole.iter().rev().take_while(|token| ends(token)).count();
        let kept = whole.get(head..whole.len().saturating_sub(tail)).unwrap_or_default();
        if let [only] = kept
            && only.is_quoted()
        {
            return strip_quotes(self.text.get(only.start..only.end).unwrap_or_default()).to_owned();
        }
        let mut out = String::new();
        for (index, token) in kept.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| kept.get(index));
            let gap = before.and_then(|before| self.text.get(before.end..token.start));
            match gap {
                // Neighbours keep the blanks between them; across a cut, one blank.
                Some(gap) if gap.chars().all(char::is_whitespace) => {
                    out += if gap.is_empty() { "" } else { " " }
                }
                Some(_) => out.push(' '),
                None => {}
            }
            out += self.text.get(token.start..token.end).unwrap_or_default();
        }
        out
    }
}

/// What does not belong to the end of a title.
const ENDS: &str = ",|:|;|-|–|—|.|!|(|…|?|please|and";
