use proptest::prelude::*;
use todo_domain::{Due, Remind, WrittenDue, Zone};

fn due(text: &str) -> Due {
    let zone = Zone::parse("timezone", "Europe/Berlin").unwrap();
    WrittenDue::parse("due", text, Some(zone)).unwrap().resolve(None)
}

fn remind(text: &str) -> Remind {
    Remind::parse("remind", text, None).unwrap()
}

#[test]
fn an_offset_counts_from_the_due_time_on_the_wall_clock() {
    let nine = due("2027-03-29T09:00");
    let at = |text: &str| remind(text).instant(Some(&nine)).unwrap().to_string();
    assert_eq!(at("-PT30M"), "2027-03-29T06:30:00Z");
    assert_eq!(at("-P1D"), "2027-03-28T07:00:00Z");
    assert_eq!(at("-P2D"), "2027-03-27T08:00:00Z", "nine o'clock also before the clocks changed");
    assert_eq!(at("PT15M"), "2027-03-29T07:15:00Z");
    assert_eq!(at("2027-03-01T10:00:00Z"), "2027-03-01T10:00:00Z");
}

#[test]
fn an_all_day_task_counts_from_the_start_of_its_day() {
    let day = due("2026-11-27");
    assert_eq!(remind("-PT15H").instant(Some(&day)).unwrap().to_string(), "2026-11-26T08:00:00Z");
}

#[test]
fn an_offset_without_a_due_date_leads_nowhere() {
    assert_eq!(remind("-PT30M").instant(None), None);
}

#[test]
fn a_reminder_reads_back_as_it_is_shown() {
    for text in ["-PT30M", "-P1D", "-P1W", "PT1H30M", "2027-03-01T10:00:00Z"] {
        assert_eq!(remind(&remind(text).to_string()), remind(text));
    }
    assert_eq!(remind("-pt30m").to_string(), "-PT30M");
}

#[test]
fn a_wrong_reminder_says_what_to_write_instead() {
    let wrong = [
        ("30 minutes", "not a reminder"),
        ("-P1M", "counts months or years"),
        ("-P2Y", "counts months or years"),
        ("-P400D", "more than a year"),
        ("P", "not an offset"),
        ("2026-11-27", "needs a time of day"),
    ];
    for (text, problem) in wrong {
        let error = Remind::parse("remind", text, None).unwrap_err();
        assert!(error.problem.contains(problem) && error.hint.contains("-P"), "{text}: {error}");
    }
}

#[test]
fn reminders_are_at_most_ten_and_distinct() {
    let texts: Vec<_> = (1..=11).map(|n| format!("-PT{n}M")).collect();
    assert!(Remind::parse_all("remind", &texts, None).unwrap_err().problem.contains("11"));
    let twice = ["-PT5M".to_owned(), "-PT5M".to_owned()];
    assert_eq!(Remind::parse_all("remind", &twice, None).unwrap().len(), 1);
}

proptest! {
    #[test]
    fn no_text_ends_the_process(text in any::<String>(), number in any::<i64>()) {
        let nine = due("2027-03-29T09:00");
        for text in [text, format!("-PT{number}M"), format!("P{number}D")] {
            let _ = Remind::parse("remind", &text, None).map(|remind| remind.instant(Some(&nine)));
        }
    }
}
