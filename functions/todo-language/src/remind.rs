//! Reminder phrases: "15 minutes before", "remind me at 5", "remind me the day before at 9".

use jiff::Zoned;
use jiff::civil::{Date, Time};

use crate::numbers::quantity;
use crate::reading::{Due, Remind};
use crate::text::Token;
use crate::when::calendar::{Unit, plus_days, unit};
use crate::when::{minutes, when};

/// Reads the reminders that begin at `at`; gives the number of tokens they take.
///
/// `asked` says that the clause speaks of reminding elsewhere: then "an hour before" needs no further word.
pub(crate) fn reminders(
    tokens: &[Token],
    at: usize,
    asked: bool,
    now: &Zoned,
) -> Option<(Vec<Remind>, usize)> {
    let reader = Reader { tokens, now };
    if let Some((remind, used)) = reader.named_length(at) {
        return Some((vec![remind], used));
    }
    let intro = reader.intro(at);
    let mut end = at + intro;
    let mut found = Vec::new();
    loop {
        let and = if found.is_empty() { 0 } else { reader.and(end) };
        if !found.is_empty() && and == 0 {
            break;
        }
        let Some((remind, used)) = reader.one(end + and, intro > 0) else { break };
        found.push(remind);
        end += and + used;
    }
    let complete = intro > 0 || asked || reader.closes(end);
    (!found.is_empty() && complete).then_some((found, end - at))
}

struct Reader<'a> {
    tokens: &'a [Token],
    now: &'a Zoned,
}

impl Reader<'_> {
    fn is(&self, at: usize, words: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_any(words))
    }

    fn and(&self, at: usize) -> usize {
        self.tokens
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take_while(|token| token.is_any(",|and|also|again"))
            .count()
    }

    fn closes(&self, at: usize) -> bool {
        self.tokens.get(at).is_none_or(|next| !next.is_word() || next.is_any("and|with"))
    }

    /// "and remind me", "with a reminder", "set a reminder for"
    fn intro(&self, at: usize) -> usize {
        let mut end = at + self.and(at);
        let please = usize::from(self.is(end, "please|then"));
        end += please;
        if self.is(end, "remind|alert|notify|ping|nudge|warn") && self.is(end + 1, "me|us") {
            let more = usize::from(self.is(end + 2, "about") && self.is(end + 3, "it|this|that")) * 2;
            let again = usize::from(self.is(end + 2 + more, "again"));
            return end + 2 + more + again - at;
        }
        end += usize::from(self.is(end, "with|plus|set|add|include|and|give"));
        end += usize::from(self.is(end, "me"));
        let article = usize::from(self.is(end, "a|an|another"));
        if self.is(end + article, "reminder|reminders|alert|notification") && (article > 0 || end > at) {
            return end + article + 1 - at;
        }
        0
    }

    /// "a 10 minute reminder", "30-minute reminder"
    fn named_length(&self, at: usize) -> Option<(Remind, usize)> {
        let mut start = at + self.and(at);
        start += usize::from(self.is(start, "with"));
        start += usize::from(self.is(start, "a|an"));
        let (length, used) = match self.tokens.get(start)?.low.split_once('-') {
            Some((count, name)) => {
                let count: i64 = count.parse().ok()?;
                (length_of(count, unit(name)?)?, 1)
            }
            None => {
                let (count, used) = quantity(self.tokens, start)?;
                (length_of(count, unit(&self.tokens.get(start + used)?.low)?)?, used + 1)
            }
        };
        let end = start + used;
        self.is(end, "reminder|alert|warning").then(|| (before(length), end + 1 - at))
    }

    fn one(&self, at: usize, introduced: bool) -> Option<(Remind, usize)> {
        self.due_time(at, introduced)
            .or_else(|| self.day_before(at))
            .or_else(|| self.length_before(at))
            .or_else(|| self.moment(at, introduced))
    }

    /// "when it's due", "on time"
    fn due_time(&self, at: usize, introduced: bool) -> Option<(Remind, usize)> {
        let phrases = ["when it's due", "when it is due", "when due", "on time", "at the time"];
        let words =
            |phrase: &str| phrase.split(' ').enumerate().all(|(offset, word)| self.is(at + offset, word));
        let phrase = phrases.iter().find(|phrase| words(phrase)).filter(|_| introduced)?;
        Some((before((0, 0)), phrase.split(' ').count()))
    }

    /// "the day before", "the night before", "the day before at 9", "the morning of"
    fn day_before(&self, at: usize) -> Option<(Remind, usize)> {
        let on = usize::from(self.is(at, "on"));
        let article = usize::from(self.is(at + on, "the|a|one"));
        let day = at + on + article;
        let hour = match self.tokens.get(day)?.low.as_str() {
            "day" | "days" => None,
            "night" | "evening" => Some(19),
            "morning" => Some(9),
            _ => return None,
        };
        let same = self.is(day + 1, "of");
        if article == 0 || !(self.is(day + 1, "before|prior") || same && hour.is_some()) {
            return None;
        }
        let mut end = day + 2 + self.object(day + 2);
        let mut at_time = hour.and_then(|hour| Time::new(hour, 0, 0, 0).ok());
        if let Some((found, used)) = when(self.tokens, end, self.now)
            && found.has_time()
            && !found.has_days()
        {
            at_time = found.due(self.now).time;
            end += used;
        }
        Some((Remind::Before { days: i64::from(!same), minutes: 0, at: at_time }, end - at))
    }

    /// "15 minutes before", "an hour and a half earlier", "2 days in advance"
    fn length_before(&self, at: usize) -> Option<(Remind, usize)> {
        let (length, used) = match minutes(self.tokens, at) {
            Some((minutes, used)) => ((0, minutes), used),
            None => {
                let (count, used) = quantity(self.tokens, at)?;
                (length_of(count, unit(&self.tokens.get(at + used)?.low)?)?, used + 1)
            }
        };
        let end = at + used;
        let direction = if self.is(end, "before|prior|early|earlier|beforehand|ahead") {
            1
        } else if self.is(end, "in") && self.is(end + 1, "advance") {
            2
        } else {
            return None;
        };
        let mut end = end + direction;
        end += usize::from(self.is(end, "hand"))
            + 2 * usize::from(self.is(end, "of") && self.is(end + 1, "time"));
        end += self.object(end);
        let at_time = when(self.tokens, end, self.now)
            .filter(|(found, _)| length.0 > 0 && found.has_time() && !found.has_days());
        let time = at_time.as_ref().and_then(|(found, _)| found.due(self.now).time);
        end += at_time.map_or(0, |(_, used)| used);
        Some((Remind::Before { days: length.0, minutes: length.1, at: time }, end - at))
    }

    /// What it is before: "it", "it's due", "the event", "to that".
    fn object(&self, at: usize) -> usize {
        let to = usize::from(self.is(at, "to"));
        let start = at + to;
        if self.is(start, "it's|its|it|that|this") {
            let is = usize::from(self.is(start + 1, "is"));
            let due = usize::from(self.is(start + 1 + is, "due|starts|begins"));
            return to + 1 + if due == 1 { is + due } else { 0 };
        }
        if self.is(start, "the") && self.is(start + 1, "event|due|deadline") {
            return to + 2 + usize::from(self.is(start + 2, "date|time"));
        }
        usize::from(self.is(start, "due"))
    }

    /// "at 5", "tomorrow at 9": only after "remind me".
    fn moment(&self, at: usize, introduced: bool) -> Option<(Remind, usize)> {
        let (found, used) = when(self.tokens, at, self.now).filter(|_| introduced)?;
        let (date, time) = found.parts(self.now);
        let time = time.or_else(|| Time::new(9, 0, 0, 0).ok())?;
        Some((Remind::At { date, time }, used))
    }
}

fn before((days, minutes): (i64, i64)) -> Remind {
    Remind::Before { days, minutes, at: None }
}

/// Days and minutes; nobody is reminded years ahead.
fn length_of(count: i64, unit: Unit) -> Option<(i64, i64)> {
    let count = count.clamp(0, 10_000);
    Some(match unit {
        Unit::Minute => (0, count),
        Unit::Hour => (0, count * 60),
        Unit::Day | Unit::Workday => (count, 0),
        Unit::Week => (count * 7, 0),
        Unit::Month => (count * 30, 0),
        Unit::Quarter | Unit::Year => return None,
    })
}

impl Remind {
    /// As the tools take it: an ISO 8601 offset from the due time, or an RFC 3339 instant.
    pub(crate) fn text(&self, due: Option<Due>, now: &Zoned) -> Option<String> {
        match *self {
            Remind::Before { days, minutes, at: None } => Some(offset(days, minutes)),
            Remind::Before { days, at: Some(time), .. } => {
                let due = due?;
                let date = plus_days(due.date, -days);
                match due.time {
                    // An offset moves along when the task is moved or repeats.
                    Some(due_time) => {
                        let span = due.date.to_datetime(due_time).since(date.to_datetime(time)).ok()?;
                        let minutes = span
                            .total((jiff::Unit::Minute, jiff::SpanRelativeTo::days_are_24_hours()))
                            .ok()?;
                        Some(offset(0, minutes as i64))
                    }
                    None => instant(date, time, now),
                }
            }
            Remind::At { date, time } => {
                let today = now.date();
                let ahead = today.to_datetime(time) > now.datetime();
                let date = date.or(due.map(|due| due.date)).unwrap_or(if ahead {
                    today
                } else {
                    plus_days(today, 1)
                });
                instant(date, time, now)
            }
        }
    }
}

/// "-P1D", "-PT1H30M", "PT0S"; a positive offset is after the due time.
fn offset(days: i64, minutes: i64) -> String {
    if days == 0 && minutes == 0 {
        return "PT0S".into();
    }
    let sign = if days < 0 || minutes < 0 { "" } else { "-" };
    let (days, minutes) = (days.abs(), minutes.abs());
    let mut text = format!("{sign}P");
    if days > 0 {
        text += &format!("{days}D");
    }
    if minutes > 0 {
        text += "T";
        text += &part(minutes / 60, 'H');
        text += &part(minutes % 60, 'M');
    }
    text
}

fn part(count: i64, letter: char) -> String {
    if count > 0 { format!("{count}{letter}") } else { String::new() }
}

/// The instant of a local time: a gap is stepped over forward, of an overlap the first pass is taken.
pub(crate) fn instant(date: Date, time: Time, now: &Zoned) -> Option<String> {
    let zoned = now.time_zone().to_ambiguous_zoned(date.to_datetime(time)).compatible().ok()?;
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}
