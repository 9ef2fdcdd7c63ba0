//! Reading an RRULE, with errors that say what to write instead.

use std::str::FromStr;

use jiff::civil::{Date, DateTime, Weekday};

use super::{End, Frequency, OnWeekday, Repeat, Until};
use crate::Invalid;
use crate::invalid::quoted;

const EXAMPLES: &str = "Send an RRULE such as \"FREQ=DAILY\", \"FREQ=WEEKLY;BYDAY=MO,TH\", \"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU\", \
                        \"FREQ=MONTHLY;BYMONTHDAY=-1\", \"FREQ=MONTHLY;BYDAY=1MO\" or \"FREQ=YEARLY\".";
const KNOWN: &str = "Use FREQ, INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, and COUNT or UNTIL. The time of day is that of `due`.";
/// Enough for "every ten years in days"; above it a rule is a slip of the pen.
const INTERVAL_LIMIT: u32 = 1_000;
const COUNT_LIMIT: u32 = 10_000;

impl FromStr for Repeat {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let upper = text.trim().to_ascii_uppercase();
        let rule = upper.strip_prefix("RRULE:").unwrap_or(&upper);
        let mut parts = Parts::default();
        for part in rule.split(';').filter(|part| !part.trim().is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return Err(invalid(format!("{} is not a repeat rule", quoted(text)), EXAMPLES));
            };
            parts.read(name.trim(), value.trim())?;
        }
        parts.finish()
    }
}

/// The parts of a rule as they come, each at most once.
#[derive(Default)]
struct Parts {
    seen: Vec<String>,
    frequency: Option<Frequency>,
    interval: Option<u32>,
    by_day: Vec<OnWeekday>,
    by_month_day: Vec<i8>,
    by_month: Vec<i8>,
    by_set_pos: Vec<i16>,
    count: Option<u32>,
    until: Option<Until>,
}

impl Parts {
    fn read(&mut self, name: &str, value: &str) -> Result<(), Invalid> {
        if self.seen.iter().any(|seen| seen == name) {
            return Err(invalid(
                format!("{} stands twice", quoted(name)),
                "Write each part once, its values separated by commas.",
            ));
        }
        self.seen.push(name.to_owned());
        match name {
            "FREQ" => self.frequency = Some(frequency(value)?),
            "INTERVAL" => self.interval = Some(number(name, value, 1, INTERVAL_LIMIT)?),
            "BYDAY" => self.by_day = on_weekdays(value)?,
            "BYMONTHDAY" => self.by_month_day = numbers(name, value, 31, true)?,
            "BYMONTH" => self.by_month = numbers(name, value, 12, false)?,
            "BYSETPOS" => self.by_set_pos = numbers(name, value, 366, true)?,
            "COUNT" => self.count = Some(number(name, value, 1, COUNT_LIMIT)?),
            "UNTIL" => self.until = Some(until(value)?),
            "WKST" if value == "MO" => {}
            _ => return Err(invalid(format!("{} is not supported", quoted(name)), KNOWN)),
        }
        Ok(())
    }

    /// What the parts must be to each other.
    fn finish(self) -> Result<Repeat, Invalid> {
        let frequency = self.frequency.ok_or_else(|| invalid("FREQ is missing", EXAMPLES))?;
        let by_position = matches!(frequency, Frequency::Monthly | Frequency::Yearly);
        if !by_position && self.by_day.iter().any(|day| day.ordinal.is_some()) {
            let hint = "Write \"FREQ=MONTHLY;BYDAY=1MO\" for the first Monday of a month, \"FREQ=WEEKLY;BYDAY=MO\" for every Monday.";
            return Err(invalid("BYDAY with a number needs FREQ=MONTHLY or YEARLY", hint));
        }
        let within_month = frequency == Frequency::Monthly || !self.by_month.is_empty();
        let far = |day: &OnWeekday| day.ordinal.is_some_and(|n| n.abs() > 5);
        if within_month && self.by_day.iter().any(far) {
            return Err(invalid(
                "a month has at most five of a weekday",
                "Write -5 to 5 before the weekday: \"-1FR\" is the last Friday.",
            ));
        }
        if frequency == Frequency::Weekly && !self.by_month_day.is_empty() {
            let hint = "Write \"FREQ=MONTHLY;BYMONTHDAY=15\" for a day of the month.";
            return Err(invalid("BYMONTHDAY does not go with FREQ=WEEKLY", hint));
        }
        if !self.by_set_pos.is_empty() && self.by_day.is_empty() && self.by_month_day.is_empty() {
            let hint =
                "Write \"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1\" for the last weekday of a month.";
            return Err(invalid("BYSETPOS needs BYDAY or BYMONTHDAY", hint));
        }
        Ok(Repeat {
            end: end(self.count, self.until)?,
            frequency,
            interval: self.interval.unwrap_or(1),
            by_day: self.by_day,
            by_month_day: self.by_month_day,
            by_month: self.by_month,
            by_set_pos: self.by_set_pos,
        })
    }
}

fn end(count: Option<u32>, until: Option<Until>) -> Result<End, Invalid> {
    match (count, until) {
        (None, None) => Ok(End::Never),
        (Some(count), None) => Ok(End::Count(count)),
        (None, Some(until)) => Ok(End::Until(until)),
        (Some(_), Some(_)) => Err(invalid("COUNT and UNTIL exclude each other", "Keep one of them.")),
    }
}

fn frequency(value: &str) -> Result<Frequency, Invalid> {
    use Frequency::{Daily, Monthly, Weekly, Yearly};
    let all = [Daily, Weekly, Monthly, Yearly];
    let known = all.into_iter().find(|known| known.as_str() == value);
    known.ok_or_else(|| {
        let hint = "Use DAILY, WEEKLY, MONTHLY or YEARLY, with INTERVAL=n for every n-th.";
        invalid(format!("FREQ={} is not supported", quoted(value)), hint)
    })
}

fn number(name: &str, value: &str, least: u32, most: u32) -> Result<u32, Invalid> {
    let number = value.parse().ok().filter(|n| (least..=most).contains(n));
    number.ok_or_else(|| {
        invalid(format!("{name}={} is out of range", quoted(value)), format!("Use {least} to {most}."))
    })
}

/// Sorted, distinct, the negative ones last: -1 is the end of the month.
fn numbers<T>(name: &str, value: &str, most: i16, negative: bool) -> Result<Vec<T>, Invalid>
where
    T: TryFrom<i16>,
{
    let mut numbers = Vec::new();
    for text in value.split(',') {
        let number = text.trim().parse::<i16>().ok();
        let least = if negative { -most } else { 1 };
        let number = number.filter(|n| *n != 0 && (least..=most).contains(n));
        numbers.push(number.ok_or_else(|| {
            let hint = if negative {
                format!("Use 1 to {most}, or -1 to -{most} counted from the end.")
            } else {
                format!("Use 1 to {most}.")
            };
            invalid(format!("{name} has {}", quoted(text)), hint)
        })?);
    }
    numbers.sort_by_key(|n| (*n < 0, *n));
    numbers.dedup();
    Ok(numbers.into_iter().filter_map(|n| T::try_from(n).ok()).collect())
}

fn on_weekdays(value: &str) -> Result<Vec<OnWeekday>, Invalid> {
    let mut days: Vec<OnWeekday> = Vec::new();
    for text in value.split(',') {
        let day = on_weekday(text.trim()).ok_or_else(|| {
            let hint = "Use MO, TU, WE, TH, FR, SA, SU, in monthly and yearly rules with a number before it: \"1MO\" the first, \"-1FR\" the last.";
            invalid(format!("BYDAY has {}", quoted(text)), hint)
        })?;
        if !days.contains(&day) {
            days.push(day);
        }
    }
    days.sort_by_key(|day| {
        let ordinal = day.ordinal.unwrap_or(0);
        (ordinal < 0, ordinal, day.weekday.to_monday_zero_offset())
    });
    Ok(days)
}

fn on_weekday(text: &str) -> Option<OnWeekday> {
    let (ordinal, code) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let weekday = match code {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    if ordinal.is_empty() {
        return Some(OnWeekday { ordinal: None, weekday });
    }
    let ordinal: i8 = ordinal.parse().ok()?;
    let in_a_year = ordinal != 0 && (-53..=53).contains(&ordinal);
    in_a_year.then_some(OnWeekday { ordinal: Some(ordinal), weekday })
}

fn until(value: &str) -> Result<Until, Invalid> {
    let hint = "Use a date \"UNTIL=20270630\" or a UTC time \"UNTIL=20270630T220000Z\".";
    let unreadable = || invalid(format!("UNTIL={} is not a date", quoted(value)), hint);
    // RFC 5545 has no hyphens and colons, but they are what a model writes first, and nothing else could be meant.
    let plain: String = value.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    if plain.len() == 8 {
        let date = Date::strptime("%Y%m%d", &plain).map_err(|_| unreadable())?;
        return Ok(Until::Date(date));
    }
    let (local, utc) = match plain.strip_suffix('Z') {
        Some(local) => (local, true),
        None => (plain.as_str(), false),
    };
    let local = DateTime::strptime("%Y%m%dT%H%M%S", local).map_err(|_| unreadable())?;
    if !utc {
        return Ok(Until::Local(local));
    }
    let zoned = local.to_zoned(jiff::tz::TimeZone::UTC);
    Ok(Until::Instant(zoned.map_err(|_| unreadable())?.timestamp()))
}

fn invalid(problem: impl Into<String>, hint: impl Into<String>) -> Invalid {
    Invalid::new("repeat", problem, hint)
}
