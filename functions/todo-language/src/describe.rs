//! Dates, rules and tasks in words.

use jiff::Zoned;
use jiff::civil::Date;

use crate::reading::Due;
use crate::task::Task;
use crate::when::calendar::plus_days;

/// "today", "tomorrow at 15:00", "Friday, 27 November"
pub(crate) fn due(due: Due, now: &Zoned) -> String {
    let time = due.time.map_or(String::new(), |time| format!(" at {}", time.strftime("%H:%M")));
    format!("{}{time}", day(due.date, now.date()))
}

fn day(date: Date, today: Date) -> String {
    if date == today {
        return "today".into();
    }
    if date == plus_days(today, 1) {
        return "tomorrow".into();
    }
    if date == plus_days(today, -1) {
        return "yesterday".into();
    }
    let year = if date.year() == today.year() { "" } else { " %Y" };
    date.strftime(&format!("%A, %-d %B{year}")).to_string()
}

/// "every 2 weeks on Tuesday until 31 May 2027". A rule that says more than these words is shown as it is.
pub(crate) fn rule(rule: &str) -> String {
    let part = |name: &str| rule.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let unit = match part("FREQ") {
        Some("HOURLY") => "hour",
        Some("DAILY") => "day",
        Some("WEEKLY") => "week",
        Some("MONTHLY") => "month",
        Some("YEARLY") => "year",
        _ => return rule.to_owned(),
    };
    let mut words = match part("INTERVAL") {
        None | Some("1") => format!("every {unit}"),
        Some("2") => format!("every other {unit}"),
        Some(count) => format!("every {count} {unit}s"),
    };
    match (part("BYDAY"), part("BYSETPOS")) {
        (Some("MO,TU,WE,TH,FR"), None) if unit == "week" && part("INTERVAL").is_none() => {
            words = "every weekday".into()
        }
        (Some("MO,TU,WE,TH,FR"), Some(positions)) => {
            words += &format!(" on the {} weekday", joined(positions, nth))
        }
        (Some(days), _) => words += &format!(" on {}", joined(days, weekday)),
        (None, _) => {}
    }
    if let Some(days) = part("BYMONTHDAY") {
        words += &format!(
            " on the {}",
            joined(days, |day| if day == "-1" { "last day".into() } else { nth(day) })
        );
    }
    if let Some(months) = part("BYMONTH") {
        words += &format!(" of {}", joined(months, month));
    }
    if let Some(count) = part("COUNT") {
        words += &format!(", {count} times");
    }
    if let Some(until) =
        part("UNTIL").and_then(|until| until.get(..8)).and_then(|day| Date::strptime("%Y%m%d", day).ok())
    {
        words += &format!(" until {}", until.strftime("%-d %B %Y"));
    }
    words
}

fn joined(list: &str, name: impl Fn(&str) -> String) -> String {
    let names: Vec<String> = list.split(',').map(name).collect();
    match names.as_slice() {
        [most @ .., last] if !most.is_empty() => format!("{} and {last}", most.join(", ")),
        _ => names.join(""),
    }
}

fn weekday(code: &str) -> String {
    let at = code.len().saturating_sub(2);
    let name = match code.get(at..).unwrap_or_default() {
        "MO" => "Monday",
        "TU" => "Tuesday",
        "WE" => "Wednesday",
        "TH" => "Thursday",
        "FR" => "Friday",
        "SA" => "Saturday",
        _ => "Sunday",
    };
    match code.get(..at).unwrap_or_default() {
        "" => name.to_owned(),
        position => format!("the {} {name}", nth(position)),
    }
}

fn nth(number: &str) -> String {
    match number {
        "-1" => "last".into(),
        "1" | "21" | "31" => format!("{number}st"),
        "2" | "22" => format!("{number}nd"),
        "3" | "23" => format!("{number}rd"),
        _ => format!("{number}th"),
    }
}

fn month(number: &str) -> String {
    let first = number.parse().ok().and_then(|month| Date::new(2000, month, 1).ok());
    first.map_or(number.to_owned(), |first| first.strftime("%B").to_string())
}

/// "#3 Buy milk — due tomorrow at 15:00, high priority, every week, #home"
pub(crate) fn line(task: &Task, now: &Zoned) -> String {
    let mut details: Vec<String> = Vec::new();
    if task.completed {
        details.push("done".into());
    }
    details.extend(task.due.map(|when| format!("due {}", due(when, now))));
    details.extend(task.priority.as_ref().map(|priority| format!("{priority} priority")));
    details.extend(task.repeat_text.clone().or_else(|| task.repeat.as_deref().map(rule)));
    if !task.tags.is_empty() {
        details.push(task.tags.iter().map(|tag| format!("#{tag}")).collect::<Vec<_>>().join(" "));
    }
    let details = if details.is_empty() { String::new() } else { format!(" — {}", details.join(", ")) };
    format!("#{} {}{details}", task.id, one_line(&task.title))
}

/// A title on one line, whatever is in it.
pub(crate) fn one_line(title: &str) -> String {
    title.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// "-PT30M" → "30 minutes before"; an instant as a day and time.
pub(crate) fn reminder(remind: &str, now: &Zoned) -> String {
    if remind == "PT0S" {
        return "when it is due".into();
    }
    if let Some(span) = remind.strip_prefix('-') {
        return span
            .parse::<jiff::Span>()
            .map_or(remind.to_owned(), |span| format!("{} before", length(&span)));
    }
    let instant = remind.parse::<jiff::Timestamp>().map(|instant| instant.to_zoned(now.time_zone().clone()));
    instant.map_or(remind.to_owned(), |zoned| due(Due { date: zoned.date(), time: Some(zoned.time()) }, now))
}

fn length(span: &jiff::Span) -> String {
    let parts = [
        (i64::from(span.get_days()), "day"),
        (i64::from(span.get_hours()), "hour"),
        (span.get_minutes(), "minute"),
    ];
    let said = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }));
    said.collect::<Vec<_>>().join(" and ")
}
