//! A repeat rule in English, as the list shows it: "every other Tuesday until 30 June 2027".

use jiff::civil::Weekday;

use super::{End, Frequency, OnWeekday, Repeat, Until};

const WORKDAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

impl Repeat {
    /// The rule in words.
    pub fn in_words(&self) -> String {
        let rhythm = match self.frequency {
            Frequency::Daily => self.daily(),
            Frequency::Weekly => self.weekly(),
            Frequency::Monthly => self.monthly(),
            Frequency::Yearly => self.yearly(),
        };
        match self.end {
            End::Never => rhythm,
            End::Count(1) => format!("{rhythm}, once"),
            End::Count(2) => format!("{rhythm}, twice"),
            End::Count(count) => format!("{rhythm}, {count} times"),
            End::Until(until) => format!("{rhythm} until {}", moment(until)),
        }
    }

    fn daily(&self) -> String {
        let days = self.days_found();
        let only = if days.is_empty() { String::new() } else { format!(", only on {days}") };
        format!("{}{only}{}", self.every("day"), self.in_months())
    }

    fn weekly(&self) -> String {
        let positions = self.by_set_pos.is_empty();
        let rhythm = match (self.weekdays().as_slice(), self.interval) {
            ([], _) => self.every("week"),
            ([day], _) if positions => self.every(name(*day)),
            (days, 1) if days == WORKDAYS && positions => "every weekday".to_owned(),
            (days, 1) if positions => {
                format!("every {}", and(days.iter().map(|day| name(*day).to_owned())))
            }
            _ => format!("{} on {}", self.every("week"), self.days_found()),
        };
        rhythm + &self.in_months()
    }

    fn monthly(&self) -> String {
        let days = self.days_found();
        let on = if days.is_empty() { String::new() } else { format!(" on {days}") };
        format!("{}{on}{}", self.every("month"), self.in_months())
    }

    fn yearly(&self) -> String {
        let year = self.every("year");
        let days = self.days_found();
        let plain_days = self.by_day.is_empty() && self.by_set_pos.is_empty();
        match (self.by_month.as_slice(), self.by_month_day.as_slice()) {
            ([], []) if days.is_empty() => year,
            (months @ [_, ..], [day]) if plain_days && *day > 0 => {
                let dates = months.iter().map(|m| format!("{day} {}", month(*m)));
                format!("{year} on {}", and(dates))
            }
            (months, _) if days.is_empty() => format!("{year} in {}", names(months)),
            // RFC 5545: a day of the month in a yearly rule without a month is that day of every month.
            ([], [_, ..]) => format!("{year} on {days} of every month"),
            ([], _) => format!("{year} on {days}"),
            (months, _) => format!("{year} on {days} in {}", names(months)),
        }
    }

    /// "every day", "every other day", "every 3 days".
    fn every(&self, unit: &str) -> String {
        match self.interval {
            1 => format!("every {unit}"),
            2 => format!("every other {unit}"),
            n if unit.starts_with(char::is_uppercase) => format!("every {} {unit}", ordinal(n)),
            n => format!("every {n} {unit}s"),
        }
    }

    /// The days of a period: "the 1st and 15th", "the last Friday", "the first weekday", "" when the rule does not say.
    fn days_found(&self) -> String {
        let in_month = and(self.by_month_day.iter().map(|day| day_of_month(*day)));
        let in_week = match self.weekdays().as_slice() {
            days if days == WORKDAYS => "weekday".to_owned(),
            [] => and(self.by_day.iter().map(numbered)),
            days if self.by_set_pos.is_empty() => and(days.iter().map(|day| name(*day).to_owned())),
            days => or(days.iter().map(|day| name(*day).to_owned())),
        };
        let days = match (in_month.is_empty(), in_week.is_empty()) {
            (false, false) => format!("{in_month} if it is {}", article(&in_week)),
            (false, true) => in_month,
            _ => in_week,
        };
        if self.by_set_pos.is_empty() {
            return if days == "weekday" { "weekdays".to_owned() } else { days };
        }
        let positions = and(self.by_set_pos.iter().map(|n| position(i32::from(*n))));
        if self.by_month_day.is_empty() {
            format!("the {positions} {days}")
        } else {
            format!("the {positions} of {days}")
        }
    }

    /// The weekdays when none of them is numbered.
    fn weekdays(&self) -> Vec<Weekday> {
        if self.by_day.iter().any(|day| day.ordinal.is_some()) {
            return Vec::new();
        }
        self.by_day.iter().map(|day| day.weekday).collect()
    }

    fn in_months(&self) -> String {
        if self.by_month.is_empty() {
            return String::new();
        }
        format!(" in {}", names(&self.by_month))
    }
}

fn numbered(day: &OnWeekday) -> String {
    match day.ordinal {
        Some(n) => format!("the {} {}", position(i32::from(n)), name(day.weekday)),
        None => format!("every {}", name(day.weekday)),
    }
}

fn day_of_month(day: i8) -> String {
    match day {
        -1 => "the last day".to_owned(),
        day if day < 0 => format!("the {} to last day", position(-i32::from(day))),
        day => format!("the {}", ordinal(u32::from(day.unsigned_abs()))),
    }
}

/// "first" … "fifth", "last", "second to last", "12th".
fn position(n: i32) -> String {
    match n {
        -1 => "last".to_owned(),
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        4 => "fourth".to_owned(),
        5 => "fifth".to_owned(),
        n if n < 0 => format!("{} to last", position(-n)),
        n => ordinal(n.unsigned_abs()),
    }
}

/// "1st", "2nd", "23rd", "11th".
fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

fn moment(until: Until) -> String {
    match until {
        Until::Date(date) => date.strftime("%-d %B %Y").to_string(),
        Until::Local(local) => local.strftime("%-d %B %Y, %H:%M").to_string(),
        Until::Instant(at) => at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
    }
}

fn names(months: &[i8]) -> String {
    and(months.iter().map(|number| month(*number).to_owned()))
}

fn month(number: i8) -> &'static str {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let index = usize::from(number.unsigned_abs()).saturating_sub(1);
    MONTHS.get(index).copied().unwrap_or_default()
}

fn name(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn article(noun: &str) -> String {
    if noun.starts_with("the ") || noun.starts_with("every ") { noun.to_owned() } else { format!("a {noun}") }
}

fn and(items: impl Iterator<Item = String>) -> String {
    joined(items, "and")
}

fn or(items: impl Iterator<Item = String>) -> String {
    joined(items, "or")
}

fn joined(items: impl Iterator<Item = String>, word: &str) -> String {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} {word} {last}", most.join(", ")),
    }
}
