//! Whatever a person writes, there is an answer.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may end where its own script is wrong")]

use todo_language::{Answer, Conversation, Entry, answer};

#[test]
fn no_message_panics() {
    let pieces = [
        "add",
        "in 99999999999999 days",
        "every 99999999999 weeks",
        "at 25:99",
        "0",
        "-1",
        "on the 99th",
        "#",
        "#99999999999999999999",
        "\"",
        "“",
        "’",
        "remind me",
        "💥🎉",
        "ﷺ",
        "\u{0}",
        "\u{202e}abc",
        "9999-99-99",
        "Feb 30",
        "29.02.",
        "12/31/9999",
        "in a few",
        "a week from",
        "half past",
        "quarter to",
        "until",
        "every!",
        "and",
        ",",
        "move",
        "to",
        "delete all",
        "tasks 1 to 99999999999",
        "by",
        "before",
        "the",
        "last",
        "postpone it by 9999999 years",
        "for 99999999 months",
        "\n",
        "-",
        ":",
        "tag",
        "p9",
        "show",
        "between",
        "next",
        "İ",
    ];
    let now: jiff::Zoned = "2026-03-29T01:59:59+01:00[Europe/Berlin]".parse().unwrap();
    let late: jiff::Zoned = "9999-12-30T12:00:00+00:00[UTC]".parse().unwrap();
    let mut seed: u32 = 7;
    for round in 0..1_000 {
        let mut message = String::new();
        for _ in 0..(round % 9) {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            message += pieces[(seed >> 8) as usize % pieces.len()];
            message += if seed & 64 == 0 { " " } else { "" };
        }
        for now in [&now, &late] {
            let _ = answer(&Conversation { now: now.clone(), entries: vec![Entry::Person(message.clone())] });
        }
    }
    let _ = answer(&Conversation { now, entries: vec![Entry::Person("add and delete ".repeat(2_000))] });
}

#[test]
fn a_reminder_in_the_gap_of_the_clocks_is_moved_forward() {
    let now = "2026-03-28T10:00:00+01:00[Europe/Berlin]".parse().unwrap();
    let entries = vec![Entry::Person("remind me about task 2 tomorrow at 2:30am".into())];
    let Answer::Call(_) = answer(&Conversation { now, entries }) else { panic!("no call") };
}
