//! Times of day.

use jiff::civil::{Date, DateTime, Time};

use super::calendar::plus_days;
use crate::numbers::cardinal;
use crate::text::Token;

/// A part of the day: it gives a time of its own, and tells which seven o'clock is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Morning,
    Afternoon,
    Evening,
    Tonight,
    Night,
}

impl Part {
    pub fn of(word: &str) -> Option<Part> {
        Some(match word {
            "morning" | "mornings" => Part::Morning,
            "afternoon" | "afternoons" => Part::Afternoon,
            "evening" | "evenings" => Part::Evening,
            "tonight" | "tonite" => Part::Tonight,
            "night" | "nights" => Part::Night,
            _ => return None,
        })
    }

    /// The hour that stands for the whole part, as to-do applications have it.
    pub fn time(self) -> Time {
        let hour = match self {
            Part::Morning => 9,
            Part::Afternoon => 12,
            Part::Evening => 19,
            Part::Tonight => 20,
            Part::Night => 22,
        };
        Time::constant(hour, 0, 0, 0)
    }
}

/// A time as written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Clock {
    pub time: Time,
    /// Twelve-hour and without am or pm: either half of the day.
    pub vague: bool,
}

/// A time that is one by its own form ("3pm", "15:00", "noon", "half past six").
/// `led` says that a word such as "at" stands before it: then "7" is one too.
pub(crate) fn clock(tokens: &[Token], at: usize, led: bool) -> Option<(Clock, usize)> {
    let word = tokens.get(at).filter(|token| token.is_word())?.low.as_str();
    match word {
        "noon" | "midday" | "lunchtime" => return fixed(12, 0).map(|clock| (clock, 1)),
        "midnight" => return fixed(0, 0).map(|clock| (clock, 1)),
        _ => {}
    }
    past_or_to(tokens, at).or_else(|| numeric(tokens, at, led)).or_else(|| spoken(tokens, at, led))
}

fn fixed(hour: i8, minute: i8) -> Option<Clock> {
    Some(Clock { time: Time::new(hour, minute, 0, 0).ok()?, vague: false })
}

/// "half past six", "quarter to five", "20 past 4".
fn past_or_to(tokens: &[Token], at: usize) -> Option<(Clock, usize)> {
    let start = at + usize::from(tokens.get(at)?.is("a"));
    let (minutes, used) = match tokens.get(start)?.low.as_str() {
        "half" => (30, 1),
        "quarter" => (15, 1),
        _ => cardinal(tokens, start)?,
    };
    let filler = usize::from(tokens.get(start + used).is_some_and(|t| t.is_any("minutes|min")));
    let direction = tokens.get(start + used + filler)?;
    let (hour, hour_used) = cardinal(tokens, start + used + filler + 1)?;
    if !(1..=59).contains(&minutes) || !(1..=12).contains(&hour) {
        return None;
    }
    let (hour, minutes) = match direction.low.as_str() {
        "past" | "after" if direction.is("past") || minutes % 5 == 0 && used == 1 => (hour, minutes),
        "to" if matches!(minutes, 5 | 10 | 15 | 20 | 25) => ((hour + 10) % 12 + 1, 60 - minutes),
        _ => return None,
    };
    let end = start + used + filler + 1 + hour_used;
    with_half(tokens, end, hour, minutes, true).map(|(clock, end)| (clock, end - at))
}

/// "3pm", "3 pm", "3:30", "15.30", "at 7".
fn numeric(tokens: &[Token], at: usize, led: bool) -> Option<(Clock, usize)> {
    let word = tokens.get(at)?.low.as_str();
    let (digits, glued) = split_half(word);
    let parts = digits.split_once([':', '.', 'h']);
    let (hour, minute, certain) = match parts {
        Some((hour, minute)) => {
            let minute = minute.split(':').next()?;
            let exact = minute.len() == 2 || (digits.contains('h') && minute.is_empty());
            // "3.30" may be a version or a price: a dot needs "at" before or "pm" after.
            let dotted = digits.contains('.');
            let plain = exact && (!dotted || led || glued.is_some() || half(tokens, at + 1).is_some());
            (hour, if minute.is_empty() { "0" } else { minute }, plain)
        }
        None => (digits, "0", false),
    };
    let padded = hour.len() == 2 && hour.starts_with('0');
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    let end = at + 1;
    if let Some(pm) = glued {
        return half_day(hour, minute, pm).map(|clock| (clock, 1));
    }
    let followed = half(tokens, end).is_some() || o_clock(tokens, end) || in_part(tokens, end).is_some();
    if !(certain || led || followed) || hour > 24 {
        return None;
    }
    let (clock, end) = with_half(tokens, end, hour, minute, parts.is_none() || !padded)?;
    // "at 7 people" is hardly a time, "at 7 tomorrow" is.
    let plain_number = parts.is_none() && !followed;
    if plain_number && tokens.get(end).is_some_and(counts_things) {
        return None;
    }
    Some((clock, end - at))
}

fn counts_things(next: &Token) -> bool {
    next.is_any("percent|%|people|euros|dollars|minutes|hours|days|weeks|km|miles|times")
}

/// "seven", "seven thirty" after "at"; "seven pm" and "seven o'clock" anywhere.
fn spoken(tokens: &[Token], at: usize, led: bool) -> Option<(Clock, usize)> {
    let word = tokens.get(at)?.low.as_str();
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (hour, _) = cardinal(tokens, at)?;
    if !(1..=12).contains(&hour) {
        return None;
    }
    let (minute, used) = match cardinal(tokens, at + 1) {
        Some((minute, used))
            if (10..60).contains(&minute)
                && !tokens.get(at + 1)?.low.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            (minute, used)
        }
        _ => (0, 0),
    };
    let end = at + 1 + used;
    let sure = half(tokens, end).is_some() || o_clock(tokens, end) || in_part(tokens, end).is_some();
    if !(led || sure) {
        return None;
    }
    with_half(tokens, end, hour, minute, true).map(|(clock, end)| (clock, end - at))
}

/// Reads what tells the half of the day after a time: "pm", "o'clock", "in the evening".
fn with_half(tokens: &[Token], end: usize, hour: i64, minute: i64, vague: bool) -> Option<(Clock, usize)> {
    let end = end + usize::from(o_clock(tokens, end));
    if let Some((pm, used)) = half(tokens, end) {
        return half_day(hour, minute, pm).map(|clock| (clock, end + used));
    }
    if let Some((part, used)) = in_part(tokens, end) {
        let late = part != Part::Morning && (1..12).contains(&hour) && !(part == Part::Night && hour < 5);
        return half_day_or_24(hour, minute, late).map(|clock| (clock, end + used));
    }
    let time = Time::new(i8::try_from(hour % 24).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
    Some((Clock { time, vague: vague && (1..=12).contains(&hour) }, end))
}

fn o_clock(tokens: &[Token], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.is_any("o'clock|oclock|o’clock|hours") && !token.is("hours"))
}

/// "in the morning", "at night", "this evening".
fn in_part(tokens: &[Token], at: usize) -> Option<(Part, usize)> {
    let first = tokens.get(at)?;
    if first.is_any("tonight|tonite") {
        return None;
    }
    let article = usize::from(first.is("in") && tokens.get(at + 1)?.is("the"));
    let led = first.is_any("in|at");
    let part = led.then(|| tokens.get(at + 1 + article)).flatten().and_then(|token| Part::of(&token.low))?;
    Some((part, 2 + article))
}

/// "pm", "p.m", "p.m.", "p m" is not read.
fn half(tokens: &[Token], at: usize) -> Option<(bool, usize)> {
    let token = tokens.get(at)?;
    let pm = match token.low.as_str() {
        "am" | "a.m" | "a.m." => false,
        "pm" | "p.m" | "p.m." => true,
        _ => return None,
    };
    let dot = token.low.contains('.')
        && tokens.get(at + 1).is_some_and(|next| next.is(".") && next.start == token.end);
    Some((pm, 1 + usize::from(dot)))
}

/// "3pm" → ("3", Some(true)).
fn split_half(word: &str) -> (&str, Option<bool>) {
    for (ending, pm) in [("a.m", false), ("p.m", true), ("am", false), ("pm", true)] {
        if let Some(digits) = word.strip_suffix(ending)
            && digits.ends_with(|c: char| c.is_ascii_digit())
        {
            return (digits, Some(pm));
        }
    }
    (word, None)
}

fn half_day(hour: i64, minute: i64, pm: bool) -> Option<Clock> {
    if hour > 12 {
        return half_day_or_24(hour, minute, false);
    }
    half_day_or_24(hour % 12, minute, pm)
}

fn half_day_or_24(hour: i64, minute: i64, late: bool) -> Option<Clock> {
    let hour = i8::try_from(hour.checked_add(if late { 12 } else { 0 })?).ok()?;
    fixed(hour, i8::try_from(minute).ok()?)
}

/// The day and time meant: a vague hour takes the half of the day that is likely and not past.
pub(crate) fn settle(clock: Clock, date: Option<Date>, part: Option<Part>, now: DateTime) -> (Date, Time) {
    let today = now.date();
    let (likely, other) = halves(clock, part);
    let ahead = |time: Time| today.to_datetime(time) > now;
    match date {
        Some(date) if date != today => (date, likely),
        Some(date) => (date, if !ahead(likely) && ahead(other) { other } else { likely }),
        None if ahead(likely) => (today, likely),
        None if ahead(other) => (today, other),
        None => (plus_days(today, 1), likely),
    }
}

/// The likely half first. Nobody means three in the morning, unless they say so.
fn halves(clock: Clock, part: Option<Part>) -> (Time, Time) {
    let hour = clock.time.hour();
    let flipped = Time::new((hour + 12) % 24, clock.time.minute(), 0, 0).unwrap_or(clock.time);
    if !clock.vague {
        return (clock.time, clock.time);
    }
    match part {
        Some(Part::Morning) if hour == 12 => (flipped, flipped),
        Some(Part::Morning) => (clock.time, clock.time),
        Some(Part::Night | Part::Tonight) if hour == 12 => (flipped, flipped),
        Some(_) if hour == 12 => (clock.time, clock.time),
        Some(_) => (flipped, flipped),
        None if hour == 12 => (clock.time, clock.time),
        None if hour < 7 => (flipped, flipped),
        None => (clock.time, flipped),
    }
}
