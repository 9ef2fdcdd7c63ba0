//! Numbers in digits and in words.

use crate::text::Token;

const ONES: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: &[(&str, i64)] =
    &[("twenty", 20), ("thirty", 30), ("forty", 40), ("fifty", 50), ("sixty", 60), ("ninety", 90)];
const ORDINALS: [&str; 31] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
    "twenty-first",
    "twenty-second",
    "twenty-third",
    "twenty-fourth",
    "twenty-fifth",
    "twenty-sixth",
    "twenty-seventh",
    "twenty-eighth",
    "twenty-ninth",
    "thirtieth",
    "thirty-first",
];
/// A counting number at `at`, with the number of tokens it takes.
pub(crate) fn cardinal(tokens: &[Token], at: usize) -> Option<(i64, usize)> {
    let word = tokens.get(at).filter(|token| token.is_word())?.low.as_str();
    if let Ok(number) = word.parse::<i64>() {
        return (number >= 0).then_some((number, 1));
    }
    if let Some((tens, ones)) = word.split_once('-')
        && let (Some(tens), Some(ones)) = (tens_of(tens), ones_of(ones))
    {
        return Some((tens + ones, 1));
    }
    if let Some(tens) = tens_of(word) {
        let ones =
            tokens.get(at + 1).and_then(|next| ones_of(&next.low)).filter(|ones| (1..10).contains(ones));
        return Some(ones.map_or((tens, 1), |ones| (tens + ones, 2)));
    }
    ones_of(word).map(|ones| (ones, 1))
}

/// A quantity: a number, "a", "an", "a couple of", "a few".
pub(crate) fn quantity(tokens: &[Token], at: usize) -> Option<(i64, usize)> {
    let is = |offset: usize, words: &str| tokens.get(at + offset).is_some_and(|token| token.is_any(words));
    let article = usize::from(is(0, "a|the"));
    if is(article, "couple") {
        return Some((2, article + 1 + usize::from(is(article + 1, "of"))));
    }
    if is(article, "few") {
        return Some((3, article + 1));
    }
    if is(0, "a|an") {
        return Some((1, 1));
    }
    cardinal(tokens, at)
}

/// "3rd", "third", "last" (-1), "second to last" is not read.
pub(crate) fn ordinal(word: &str) -> Option<i64> {
    if word == "last" || word == "final" {
        return Some(-1);
    }
    if let Some(index) = ORDINALS.iter().position(|name| *name == word) {
        return i64::try_from(index + 1).ok();
    }
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|ending| word.strip_suffix(ending))?;
    digits.parse().ok().filter(|number| *number > 0)
}

fn ones_of(word: &str) -> Option<i64> {
    ONES.iter().position(|name| *name == word).and_then(|index| i64::try_from(index).ok())
}

fn tens_of(word: &str) -> Option<i64> {
    TENS.iter().find(|(name, _)| *name == word).map(|(_, value)| *value)
}
