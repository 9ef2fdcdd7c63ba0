use proptest::prelude::*;
use todo_domain::{Due, WrittenDue, Zone};

fn zone(name: &str) -> Zone {
    Zone::parse("timezone", name).unwrap()
}

fn due(text: &str, zone_name: &str) -> Due {
    WrittenDue::parse("due", text, Some(zone(zone_name))).unwrap().resolve(None)
}

#[test]
fn a_due_date_shows_as_it_was_meant() {
    let shown = [
        ("2026-11-27", "Europe/Berlin", "2026-11-27", "2026-11-27T22:59:59.999Z"),
        ("2026-11-27T09:00", "Europe/Berlin", "2026-11-27T09:00:00+01:00", "2026-11-27T08:00:00Z"),
        ("2026-11-27 09:00:30.5", "UTC", "2026-11-27T09:00:30+00:00", "2026-11-27T09:00:30Z"),
        ("2026-11-27T09:00:00+05:30", "Europe/Berlin", "2026-11-27T04:30:00+01:00", "2026-11-27T03:30:00Z"),
        ("2026-11-27T09:00:00Z", "Asia/Tokyo", "2026-11-27T18:00:00+09:00", "2026-11-27T09:00:00Z"),
    ];
    for (text, zone, expected, instant) in shown {
        let due = due(text, zone);
        assert_eq!(
            (due.to_string().as_str(), due.instant().to_string().as_str()),
            (expected, instant),
            "{text}"
        );
    }
}

#[test]
fn a_time_that_the_clock_skips_is_shifted_forward() {
    let due = due("2027-03-28T02:30", "Europe/Berlin");
    assert_eq!(due.instant().to_string(), "2027-03-28T01:30:00Z");
    assert_eq!(due.to_string(), "2027-03-28T03:30:00+02:00");
    assert_eq!(due.local_text(), "2027-03-28T02:30:00", "what was said is kept");
}

#[test]
fn of_a_time_that_comes_twice_the_first_is_meant() {
    assert_eq!(due("2026-10-25T02:30", "Europe/Berlin").to_string(), "2026-10-25T02:30:00+02:00");
}

#[test]
fn a_day_whose_midnight_is_skipped_still_ends() {
    // In Beirut the clock went from 2027-03-27 23:59:59 to 2027-03-28 01:00.
    let day = due("2027-03-27", "Asia/Beirut");
    assert_eq!(day.instant().to_string(), "2027-03-27T21:59:59.999Z");
}

#[test]
fn without_a_zone_the_tasks_own_is_taken_and_else_utc() {
    let written = || WrittenDue::parse("due", "2026-11-27T09:00", None).unwrap();
    assert_eq!(written().resolve(Some(&zone("America/New_York"))).to_string(), "2026-11-27T09:00:00-05:00");
    assert_eq!(written().resolve(None).zone().name(), "UTC");
}

#[test]
fn a_wrong_date_says_what_to_write_instead() {
    for text in [
        "",
        "tomorrow",
        "27.11.2026",
        "2026-02-30",
        "2026-11-27T25:00",
        "1969-12-31",
        "10000-01-01",
        "20261127x",
    ] {
        let error = WrittenDue::parse("due", text, None).unwrap_err();
        assert_eq!(error.field, "due");
        assert!(error.hint.starts_with("Send a "), "{error}");
    }
}

#[test]
fn a_zone_is_known_by_its_name_only() {
    for name in ["", "CEST", "+01:00", "Mars/Olympus", "../etc/passwd"] {
        let error = Zone::parse("timezone", name).unwrap_err();
        assert!(error.hint.contains("Europe/Berlin"), "{error}");
    }
    assert_eq!(zone("europe/berlin").name(), "Europe/Berlin");
    assert_eq!(zone("UTC").name(), "UTC");
}

#[test]
fn the_last_day_of_the_calendar_has_an_end() {
    assert!(due("9999-12-31", "Pacific/Honolulu").instant() > due("9999-12-30", "UTC").instant());
}

proptest! {
    #[test]
    fn what_is_stored_reads_back(year in 1970..=9999_i16, day in 1..=366_i16, time in prop::option::of(0..86_400_i32),
                                 zone_name in "UTC|Europe/Berlin|America/New_York|Asia/Kolkata|Australia/Lord_Howe") {
        let date = jiff::civil::date(year, 1, 1).with().day_of_year(day).build();
        let Ok(date) = date else { return Ok(()) };
        let text = match time {
            Some(second) => format!("{date}T{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60),
            None => date.to_string(),
        };
        let due = due(&text, &zone_name);
        prop_assert_eq!(Due::from_stored(&due.local_text(), due.zone().name()).unwrap(), due);
    }

    #[test]
    fn no_text_ends_the_process(text in any::<String>()) {
        let _ = WrittenDue::parse("due", &text, None).map(|written| written.resolve(None).instant());
        let _ = Zone::parse("timezone", &text);
    }
}
