//! Reads the phrases.

use jiff::Zoned;
use jiff::civil::{Date, Weekday};

use super::rule::{Frequency, Repeat, WORKDAYS};
use crate::numbers::{cardinal, ordinal, quantity};
use crate::text::Token;
use crate::when::calendar::{Unit, month, plus_days, plus_months, unit, weekday};
use crate::when::{Lead, Part, When, when};

/// Reads a recurrence that begins at `at`; gives the number of tokens it takes.
pub(crate) fn repeat(tokens: &[Token], at: usize, now: &Zoned) -> Option<(Repeat, usize)> {
    let reader = Reader { tokens, now };
    let (mut repeat, mut end) = reader
        .after_completion(at)
        .or_else(|| reader.every(at))
        .or_else(|| reader.adverb(at))
        .or_else(|| reader.plural_days(at))?;
    while let Some(used) = reader.further(&mut repeat, end) {
        end += used;
    }
    Some((repeat, end - at))
}

struct Reader<'a> {
    tokens: &'a [Token],
    now: &'a Zoned,
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        self.tokens.get(at).filter(|token| token.is_word()).map_or("", |token| token.low.as_str())
    }

    fn is(&self, at: usize, words: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_any(words))
    }

    /// "3 days after I finish", "two weeks after completion", "after 10 days"
    fn after_completion(&self, at: usize) -> Option<(Repeat, usize)> {
        let led = self.is(at, "every|repeat|again");
        let after = self.is(at, "after");
        let start = at + usize::from(led || after);
        let (count, used) = quantity(self.tokens, start)?;
        let unit = unit(self.word(start + used))?;
        let end = start + used + 1;
        let done = self.is(end, "after|from").then(|| self.completion(end + 1)).flatten();
        let end = match done {
            Some(used) => end + 1 + used,
            None if after
                && matches!(unit, Unit::Day | Unit::Week | Unit::Month | Unit::Year)
                && self.tokens.get(end).is_none_or(|next| !next.is_word()) =>
            {
                end
            }
            None => return None,
        };
        let mut repeat = Repeat::of(unit, count)?;
        repeat.from_completion = true;
        Some((repeat, end))
    }

    /// "I finish it", "it's done", "completion", "each completion", "I last did it"
    fn completion(&self, at: usize) -> Option<usize> {
        let mut end = at;
        while self.is(end, "i|i've|it|it's|its|is|the|last|each|my|have|was|you|we|when") && end - at < 4 {
            end += 1;
        }
        let done = "finish|finished|complete|completed|completion|completing|finishing|done|did|do";
        if !self.is(end, done) {
            return None;
        }
        let it = usize::from(self.is(end + 1, "it|them|this|that|one"));
        Some(end + 1 + it - at)
    }

    /// "every …", "each …", "every! …", "once a week"
    fn every(&self, at: usize) -> Option<(Repeat, usize)> {
        let once = self.is(at, "once") && self.is(at + 1, "a|an|every|each|per");
        if once {
            let unit = unit(self.word(at + 2)).filter(|unit| *unit != Unit::Minute)?;
            return Some((Repeat::of(unit, 1)?, at + 3));
        }
        let led = usize::from(self.is(at, "on|repeat|repeating|for|repeats"));
        let start = at + led;
        if !self.is(start, "every|each|ev") {
            return None;
        }
        let bang = usize::from(self.is(start + 1, "!"));
        let single = usize::from(self.is(start + 1 + bang, "single"));
        let (mut repeat, end) = self.core(start + 1 + bang + single)?;
        repeat.from_completion = bang == 1;
        Some((repeat, end))
    }

    /// What stands after "every".
    fn core(&self, at: usize) -> Option<(Repeat, usize)> {
        if let Some(part) = Part::of(self.word(at)).filter(|_| !self.is(at, "tonight|tonite")) {
            let mut repeat = Repeat::every(Frequency::Daily, 1);
            repeat.at =
                Some(When { lead: Lead::None, days: None, clock: None, part: Some(part), moment: None });
            return Some((repeat, at + 1));
        }
        if self.is(at, "other|second|2nd")
            && !(self.is(at, "second|2nd") && weekday(self.word(at + 1)).is_some())
        {
            let (repeat, end) = self.unit_or_days(at + 1, 2)?;
            return Some((repeat, end));
        }
        self.ordinals(at).or_else(|| self.dates(at)).or_else(|| {
            let (count, used) = cardinal(self.tokens, at).unwrap_or((1, 0));
            self.unit_or_days(at + used, count)
        })
    }

    /// "3 days", "Monday and Friday", "weekday", "weekend"
    fn unit_or_days(&self, at: usize, interval: i64) -> Option<(Repeat, usize)> {
        if self.is(at, "weekend|weekends") {
            return Some((
                Repeat::every(Frequency::Weekly, interval.clamp(1, 1_000)).on([Weekday::Saturday]),
                at + 1,
            ));
        }
        if self.is(at, "business|working|work") && self.is(at + 1, "day|days") {
            return Some((Repeat::of(Unit::Workday, interval)?, at + 2));
        }
        if let Some(unit) = unit(self.word(at)) {
            return Some((Repeat::of(unit, interval)?, at + 1));
        }
        let (days, end) = self.day_list(at)?;
        Some((Repeat::every(Frequency::Weekly, interval.clamp(1, 1_000)).on(days), end))
    }

    /// "mon, tues, wed, and fri"
    fn day_list(&self, at: usize) -> Option<(Vec<Weekday>, usize)> {
        let mut days = vec![weekday(self.word(at))?];
        let mut end = at + 1;
        loop {
            let mut next = end;
            while self.is(next, ",|and|&|or|/") {
                next += 1;
            }
            match weekday(self.word(next)).filter(|_| next > end) {
                Some(day) if !days.contains(&day) => days.push(day),
                Some(_) => {}
                None => return Some((days, end)),
            }
            end = next + 1;
        }
    }

    /// "3rd Friday", "2nd Monday, last Wednesday", "15th workday, last workday", "last day", "27th"
    fn ordinals(&self, at: usize) -> Option<(Repeat, usize)> {
        let mut repeat = Repeat::every(Frequency::Monthly, 1);
        let mut end = at;
        loop {
            let mut next = end;
            while end > at && self.is(next, ",|and|&|the") {
                next += 1;
            }
            if end > at && next == end {
                break;
            }
            match self.ordinal_piece(&mut repeat, next) {
                Some(used) => end = next + used,
                None => break,
            }
        }
        (end > at).then(|| (repeat, end + self.of_the_month(end)))
    }

    fn ordinal_piece(&self, repeat: &mut Repeat, at: usize) -> Option<usize> {
        let nth = i8::try_from(ordinal(self.word(at))?).ok().filter(|nth| (-1..=31).contains(nth))?;
        if let Some(day) = weekday(self.word(at + 1)) {
            repeat.weekdays.push((Some(nth).filter(|nth| *nth <= 5), day));
            return Some(2);
        }
        let business = usize::from(self.is(at + 1, "business|working|work"));
        let day = self.word(at + 1 + business);
        if matches!(day, "workday" | "weekday") || business == 1 && day == "day" {
            repeat.positions.push(nth);
            if repeat.weekdays.is_empty() {
                repeat.weekdays.extend(WORKDAYS.map(|day| (None, day)));
            }
            return Some(2 + business);
        }
        if month(day).is_some() || unit(day).is_some_and(|unit| unit != Unit::Day) {
            return None;
        }
        repeat.month_days.push(nth);
        Some(1 + usize::from(day == "day"))
    }

    /// "of the month", "of each month", "of every month"
    fn of_the_month(&self, at: usize) -> usize {
        let led = self.is(at, "of|in") && self.is(at + 1, "the|each|every|a") && self.is(at + 2, "month");
        if led { 3 } else { 0 }
    }

    /// "jan 27th", "27 january", "27"
    fn dates(&self, at: usize) -> Option<(Repeat, usize)> {
        let (month_name, day, end) = match (month(self.word(at)), month(self.word(at + 1))) {
            (Some(month), _) => match self.day(at + 1) {
                Some(day) => (Some(month), Some(day), at + 2),
                None => (Some(month), None, at + 1),
            },
            (None, Some(month)) => (Some(month), Some(self.day(at)?), at + 2),
            (None, None) => {
                let alone = self
                    .tokens
                    .get(at + 1)
                    .is_none_or(|next| !next.is_word() || next.is_any("at|starting|until|of"));
                (None, Some(self.day(at).filter(|_| alone)?), at + 1)
            }
        };
        let frequency = if month_name.is_some() { Frequency::Yearly } else { Frequency::Monthly };
        let mut repeat = Repeat::every(frequency, 1);
        repeat.months.extend(month_name);
        repeat.month_days.extend(day);
        Some((repeat, end))
    }

    fn day(&self, at: usize) -> Option<i8> {
        let word = self.word(at);
        let number = ordinal(word).or_else(|| word.parse().ok())?;
        i8::try_from(number).ok().filter(|day| (1..=31).contains(day))
    }

    /// "daily", "weekly", "biweekly", "monthly", "quarterly", "yearly"
    fn adverb(&self, at: usize) -> Option<(Repeat, usize)> {
        // "the quarterly report" is one particular thing; "a weekly review" comes again.
        if at > 0 && self.is(at - 1, "the|this|that|my|our|your|his|her|their|next|last") {
            return None;
        }
        let (unit, count) = match self.word(at) {
            "daily" | "everyday" => (Unit::Day, 1),
            "hourly" => (Unit::Hour, 1),
            "weekly" => (Unit::Week, 1),
            "biweekly" | "bi-weekly" | "fortnightly" => (Unit::Week, 2),
            "monthly" => (Unit::Month, 1),
            "quarterly" => (Unit::Quarter, 1),
            "yearly" | "annually" | "annual" => (Unit::Year, 1),
            "bimonthly" => (Unit::Month, 2),
            _ => return None,
        };
        Some((Repeat::of(unit, count)?, at + 1))
    }

    /// "on Mondays", "Mondays and Thursdays", "on weekdays", "weekends"
    fn plural_days(&self, at: usize) -> Option<(Repeat, usize)> {
        let start = at + usize::from(self.is(at, "on|all"));
        if self.is(start, "weekdays|workdays") {
            return Some((Repeat::of(Unit::Workday, 1)?, start + 1));
        }
        if self.is(start, "weekends") {
            return Some((
                Repeat::every(Frequency::Weekly, 1).on([Weekday::Saturday, Weekday::Sunday]),
                start + 1,
            ));
        }
        let plural = self.word(start).ends_with("days");
        let (days, end) = self.day_list(start).filter(|_| plural && self.word(start) != "days")?;
        Some((Repeat::every(Frequency::Weekly, 1).on(days), end))
    }

    /// What may follow: days of the week or month, a time, a start, an end, a number of times.
    fn further(&self, repeat: &mut Repeat, at: usize) -> Option<usize> {
        let comma = usize::from(self.is(at, ","));
        let start = at + comma;
        self.ending(repeat, start)
            .or_else(|| self.on_days(repeat, start))
            .or_else(|| self.time_or_start(repeat, start))
            .map(|used| used + comma)
    }

    /// "until June", "ending aug 3", "for 3 weeks", "10 times"
    fn ending(&self, repeat: &mut Repeat, at: usize) -> Option<usize> {
        if repeat.until.is_some() || repeat.count.is_some() {
            return None;
        }
        let led = usize::from(self.is(at, "for"));
        if let Some((count, used)) = cardinal(self.tokens, at + led)
            && self.is(at + led + used, "times|time|occurrences")
        {
            repeat.count = Some(count.clamp(1, 10_000));
            return Some(led + used + 1);
        }
        if led == 1 {
            let the = usize::from(self.is(at + 1, "the") && self.is(at + 2, "next")) * 2;
            let (count, used) = quantity(self.tokens, at + 1 + the)?;
            let unit = unit(self.word(at + 1 + the + used))?;
            let from = repeat.start.as_ref().map_or(self.now.date(), |start| start.due(self.now).date);
            repeat.until = Some(later(from, count, unit)?);
            return Some(2 + the + used);
        }
        let until = self.is(at, "until|till|til|through|ending|ends|to");
        let on = usize::from(self.is(at, "ending|ends") && self.is(at + 1, "on|in|by"));
        let name = at + 1 + on;
        if !until {
            return None;
        }
        // The reader of dates wants a leading word to take "June" for a month.
        let (found, used) =
            when(&self.tokens_led_by_until(at, name), 0, self.now).filter(|(found, _)| found.has_days())?;
        let days = found.days?;
        let whole_month = days.start.day() == 1 && days.end == plus_months(days.start, 1);
        // "until June" stops when June begins; "until June 3" includes that day.
        repeat.until = Some(if whole_month && !self.is(at, "through") {
            plus_days(days.start, -1)
        } else {
            plus_days(days.end, -1)
        });
        Some(on + used)
    }

    fn tokens_led_by_until(&self, at: usize, name: usize) -> Vec<Token> {
        let mut led: Vec<Token> = self.tokens.get(at..=at).unwrap_or_default().to_vec();
        led.iter_mut().for_each(|token| token.low = "until".into());
        led.extend(
            self.tokens.get(name..self.tokens.len().min(name + 8)).unwrap_or_default().iter().cloned(),
        );
        led
    }

    /// "on Monday and Friday", "on the 5th", "on the last day", "on the first Monday"
    fn on_days(&self, repeat: &mut Repeat, at: usize) -> Option<usize> {
        if !(repeat.weekdays.is_empty() && repeat.month_days.is_empty()) {
            return None;
        }
        let led = usize::from(self.is(at, "on"));
        let article = usize::from(self.is(at + led, "the"));
        let start = at + led + article;
        match repeat.frequency {
            Frequency::Weekly => {
                let (days, end) = self.day_list(start).filter(|_| led == 1)?;
                repeat.weekdays.extend(days.into_iter().map(|day| (None, day)));
                Some(end - at)
            }
            Frequency::Monthly if led + article > 0 => {
                let (found, end) = self.ordinals(start)?;
                (repeat.weekdays, repeat.month_days, repeat.positions) =
                    (found.weekdays, found.month_days, found.positions);
                Some(end - at)
            }
            Frequency::Yearly => {
                let (found, end) = self.dates(start).filter(|(found, _)| !found.months.is_empty())?;
                (repeat.months, repeat.month_days) = (found.months, found.month_days);
                Some(end - at)
            }
            _ => None,
        }
    }

    /// "at 9am", "in the morning", "starting aug 3", "from 10 May"
    fn time_or_start(&self, repeat: &mut Repeat, at: usize) -> Option<usize> {
        let (found, used) = when(self.tokens, at, self.now)?;
        let starts = self.is(at, "starting|from|beginning|starts|since");
        if starts && repeat.start.is_none() {
            repeat.start = Some(found);
            return Some(used);
        }
        if found.has_days() || !found.has_time() {
            return None;
        }
        match &mut repeat.at {
            Some(at) => at.merge(&found).then_some(used),
            none => {
                *none = Some(found);
                Some(used)
            }
        }
    }
}

fn later(from: Date, count: i64, unit: Unit) -> Option<Date> {
    Some(match unit {
        Unit::Day | Unit::Workday => plus_days(from, count),
        Unit::Week => plus_days(from, count.checked_mul(7)?),
        Unit::Month => plus_months(from, count),
        Unit::Quarter => plus_months(from, count.checked_mul(3)?),
        Unit::Year => plus_months(from, count.checked_mul(12)?),
        Unit::Minute | Unit::Hour => return None,
    })
}
