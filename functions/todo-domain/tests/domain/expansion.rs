//! The days of a rule, by tables, and against another implementation where the two mean the same.

use std::time::{Duration, Instant};

use jiff::civil::{Date, Weekday, date};
use proptest::prelude::*;
use todo_domain::{Frequency, Repeat};

fn rule(text: &str) -> Repeat {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The anchor and the days that follow, as "26-11-27 26-12-04 …".
fn days(text: &str, anchor: &str, count: usize) -> String {
    let anchor: Date = anchor.parse().unwrap();
    let rule = rule(text);
    let days = std::iter::once(anchor).chain(rule.days_after(anchor, anchor)).take(count);
    days.map(|day| day.strftime("%y-%m-%d").to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_rule_gives_its_days() {
    let given = [
        ("FREQ=DAILY", "2026-11-29", "26-11-29 26-11-30 26-12-01"),
        ("FREQ=DAILY;INTERVAL=3", "2026-12-30", "26-12-30 27-01-02 27-01-05"),
        ("FREQ=DAILY;BYDAY=SA,SU", "2026-11-28", "26-11-28 26-11-29 26-12-05"),
        ("FREQ=DAILY;BYMONTH=7", "2026-07-30", "26-07-30 26-07-31 27-07-01"),
        ("FREQ=WEEKLY", "2026-11-27", "26-11-27 26-12-04 26-12-11"),
        ("FREQ=WEEKLY;BYDAY=MO,FR", "2026-11-27", "26-11-27 26-11-30 26-12-04"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "2026-11-23", "26-11-23 26-11-29 26-12-07 26-12-13"),
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1", "2026-11-27", "26-11-27 26-12-04"),
        ("FREQ=MONTHLY", "2026-11-27", "26-11-27 26-12-27 27-01-27"),
        ("FREQ=MONTHLY;INTERVAL=5", "2026-11-27", "26-11-27 27-04-27 27-09-27"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15,-1", "2026-11-15", "26-11-15 26-11-30 26-12-01 26-12-15 26-12-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2", "2027-01-30", "27-01-30 27-02-27 27-03-30"),
        ("FREQ=MONTHLY;BYDAY=1MO,-1FR", "2026-12-07", "26-12-07 26-12-25 27-01-04 27-01-29"),
        (
            "FREQ=MONTHLY;BYDAY=MO,1TU",
            "2026-12-01",
            "26-12-01 26-12-07 26-12-14 26-12-21 26-12-28 27-01-04 27-01-05",
        ),
        ("FREQ=MONTHLY;BYDAY=5MO", "2026-11-30", "26-11-30 27-03-29 27-05-31"),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            "2026-11-30",
            "26-11-30 26-12-31 27-01-29 27-02-26",
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-1",
            "2026-11-30",
            "26-11-30 26-12-01 26-12-31 27-01-01",
        ),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-11-13", "26-11-13 27-08-13 28-10-13"),
        ("FREQ=YEARLY", "2026-11-27", "26-11-27 27-11-27 28-11-27"),
        ("FREQ=YEARLY;BYMONTH=1,7", "2026-07-10", "26-07-10 27-01-10 27-07-10"),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=2SU", "2027-05-09", "27-05-09 28-05-14 29-05-13"),
        ("FREQ=YEARLY;BYMONTHDAY=15", "2026-11-15", "26-11-15 26-12-15 27-01-15"),
        ("FREQ=YEARLY;BYDAY=20MO,-1SU", "2027-05-17", "27-05-17 27-12-26 28-05-15"),
        ("FREQ=YEARLY;BYDAY=TH;BYMONTHDAY=31", "2026-12-31", "26-12-31 28-08-31 29-05-31"),
    ];
    for (text, anchor, expected) in given {
        assert_eq!(days(text, anchor, expected.split(' ').count()), expected, "{text}");
    }
}

#[test]
fn a_day_that_a_month_lacks_is_its_last_one_and_comes_back_in_a_longer_month() {
    let given = [
        ("FREQ=MONTHLY", "2027-01-31", "27-01-31 27-02-28 27-03-31 27-04-30 27-05-31"),
        ("FREQ=MONTHLY", "2028-01-30", "28-01-30 28-02-29 28-03-30"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "2027-01-31", "27-01-31 27-02-28 27-03-31 27-04-30"),
        (
            "FREQ=MONTHLY;BYMONTHDAY=30,31",
            "2027-01-31",
            "27-01-31 27-02-28 27-03-30 27-03-31 27-04-30 27-05-30",
        ),
        ("FREQ=YEARLY", "2028-02-29", "28-02-29 29-02-28 30-02-28 31-02-28 32-02-29"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2028-02-29", "28-02-29 29-02-28 30-02-28 31-02-28 32-02-29"),
        ("FREQ=YEARLY;INTERVAL=4", "2096-02-29", "96-02-29 00-02-28 04-02-29"),
        // As a condition the 31st is only the 31st.
        ("FREQ=DAILY;BYMONTHDAY=31", "2027-01-31", "27-01-31 27-03-31 27-05-31"),
        ("FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=WE", "2027-03-31", "27-03-31 28-05-31 29-01-31"),
        // Nobody means a day by counting 31 from the end, so a month without it is left out.
        ("FREQ=MONTHLY;BYMONTHDAY=-31", "2027-01-01", "27-01-01 27-03-01 27-05-01"),
    ];
    for (text, anchor, expected) in given {
        assert_eq!(days(text, anchor, expected.split(' ').count()), expected, "{text}");
    }
}

#[test]
fn the_first_date_counts_even_where_the_rule_would_not_give_it() {
    assert_eq!(days("FREQ=WEEKLY;BYDAY=FR", "2026-11-25", 3), "26-11-25 26-11-27 26-12-04");
    assert_eq!(days("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "2026-11-25", 3), "26-11-25 26-12-08 26-12-22");
    assert_eq!(days("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-25", 3), "26-11-25 26-11-30 26-12-31");
}

#[test]
fn a_rule_that_never_comes_again_says_so_soon() {
    let never = [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=999;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=3",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=3",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6",
        "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31;BYDAY=MO,TU,WE,TH,FR,SA,SU",
        "FREQ=YEARLY;BYMONTHDAY=1;BYSETPOS=366",
    ];
    let began = Instant::now();
    for text in never {
        let rule = rule(text);
        let anchor = date(2026, 11, 27);
        assert_eq!(rule.days_after(anchor, anchor).next(), None, "{text}");
    }
    // Far more than it takes on a busy machine; searching all of the calendar for each would take far longer.
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    // What is rare is found all the same: 29 February on a Monday, every third year.
    let rare = "FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO";
    assert_eq!(days(rare, "2026-11-27", 2), "26-11-27 44-02-29");
}

#[test]
fn the_calendar_ends_with_the_year_9999() {
    for text in ["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=MO", "FREQ=MONTHLY", "FREQ=YEARLY"] {
        let anchor = date(9999, 12, 31);
        assert_eq!(rule(text).days_after(anchor, anchor).next(), None, "{text}");
    }
    assert_eq!(days("FREQ=DAILY", "9999-12-30", 9), "99-12-30 99-12-31");
}

prop_compose! {
    /// Any rule that the parser takes.
    fn any_rule()(frequency in "DAILY|WEEKLY|MONTHLY|YEARLY", interval in 1..=40_u32,
                  by_day in prop::option::of("(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU)){0,3}"),
                  ordinals in prop::option::of("(-?[1-5]|[1-5])(MO|TU|WE|TH|FR|SA|SU)(,-?[1-5](MO|TU|SU)){0,2}"),
                  by_month_day in prop::option::of("-?([1-9]|1[0-9]|2[0-9]|3[01])(,-?[1-9]){0,2}"),
                  by_month in prop::option::of("([1-9]|1[0-2])(,[1-9]){0,3}"),
                  by_set_pos in prop::option::of("-?[1-4](,-?1)?")) -> Option<Repeat> {
        let mut text = format!("FREQ={frequency};INTERVAL={interval}");
        let parts = [("BYDAY", ordinals.or(by_day)), ("BYMONTHDAY", by_month_day), ("BYMONTH", by_month), ("BYSETPOS", by_set_pos)];
        for (name, value) in parts {
            if let Some(value) = value {
                text.push_str(&format!(";{name}={value}"));
            }
        }
        text.parse::<Repeat>().ok()
    }
}

prop_compose! {
    fn any_day()(days in 0..30_000_i32) -> Date {
        date(1970, 1, 1).checked_add(jiff::SignedDuration::from_hours(i64::from(days) * 24)).unwrap()
    }
}

/// Whether RFC 5545 leaves out a month here in which we take the last day.
fn mends_short_months(rule: &Repeat, anchor: Date) -> bool {
    let by_month = matches!(rule.frequency(), Frequency::Monthly | Frequency::Yearly);
    by_month
        && rule.by_day().is_empty()
        && match rule.by_month_day() {
            [] => anchor.day() > 28,
            days => days.iter().any(|day| *day > 28),
        }
}

/// The other one takes positions in the first week from the anchor on, not of the whole week as RFC 5545 has it.
fn cuts_the_first_week(rule: &Repeat, anchor: Date) -> bool {
    let positions = rule.frequency() == Frequency::Weekly && !rule.by_set_pos().is_empty();
    positions && anchor.weekday() != Weekday::Monday
}

/// The days after the anchor by the crate `rrule`, in UTC; `None` for a rule that it refuses (the fifth to last Monday).
fn by_rrule(rule: &Repeat, anchor: Date, count: u16) -> Option<Vec<Date>> {
    let text = format!("DTSTART:{}T090000Z\nRRULE:{rule}", anchor.strftime("%Y%m%d"));
    let set: rrule::RRuleSet = text.parse().ok()?;
    let found = set.all(count + 1).dates;
    let days = found.iter().map(|at| at.format("%Y-%m-%d").to_string().parse::<Date>().unwrap());
    Some(days.filter(|day| *day > anchor).take(count.into()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn the_days_are_those_of_another_implementation(rule in any_rule(), anchor in any_day()) {
        prop_assume!(rule.is_some());
        let rule = rule.unwrap();
        prop_assume!(!mends_short_months(&rule, anchor) && !cuts_the_first_week(&rule, anchor));
        let theirs = by_rrule(&rule, anchor, 20);
        prop_assume!(theirs.is_some());
        let theirs = theirs.unwrap();
        // The other one gives up on rare days.
        let ours: Vec<_> = rule.days_after(anchor, anchor).take(theirs.len()).collect();
        prop_assert_eq!(ours, theirs, "{}", rule);
    }

    #[test]
    fn looking_from_any_day_on_finds_the_same_days(rule in any_rule(), anchor in any_day(), skip in 0..40_usize) {
        prop_assume!(rule.is_some());
        let rule = rule.unwrap();
        let all: Vec<_> = rule.days_after(anchor, anchor).take(60).collect();
        prop_assert!(all.is_sorted() && all.iter().all(|day| *day > anchor));
        if let Some(from) = all.get(skip) {
            let rest = all.get(skip + 1..).unwrap_or_default();
            let later: Vec<_> = rule.days_after(anchor, *from).take(rest.len()).collect();
            prop_assert_eq!(later, rest, "{}", &rule);
            let before = from.yesterday().unwrap();
            prop_assert_eq!(rule.days_after(anchor, before).next(), Some(*from), "{}", &rule);
        }
    }

    #[test]
    fn every_day_meets_the_conditions(rule in any_rule(), anchor in any_day()) {
        prop_assume!(rule.is_some());
        let rule = rule.unwrap();
        for day in rule.days_after(anchor, anchor).take(20) {
            prop_assert!(rule.by_month().is_empty() || rule.by_month().contains(&day.month()), "{}: {}", rule, day);
            let weekdays: Vec<Weekday> = rule.by_day().iter().map(|on| on.weekday).collect();
            prop_assert!(weekdays.is_empty() || weekdays.contains(&day.weekday()), "{}: {}", rule, day);
        }
    }
}
