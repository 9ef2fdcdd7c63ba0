use proptest::prelude::*;
use todo_domain::{End, Frequency, Repeat};

fn rule(text: &str) -> Repeat {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_rule_is_written_in_one_canonical_form() {
    let written = [
        ("FREQ=DAILY", "FREQ=DAILY"),
        ("RRULE:freq=daily;interval=1", "FREQ=DAILY"),
        (" BYDAY=fr,mo ; FREQ=WEEKLY ;", "FREQ=WEEKLY;BYDAY=MO,FR"),
        ("FREQ=WEEKLY;BYDAY=MO,MO;WKST=MO", "FREQ=WEEKLY;BYDAY=MO"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,15,1", "FREQ=MONTHLY;BYMONTHDAY=1,15,-1"),
        ("FREQ=MONTHLY;BYDAY=-1FR,2MO,+1TU", "FREQ=MONTHLY;BYDAY=1TU,2MO,-1FR"),
        ("FREQ=YEARLY;BYMONTH=12,3;BYDAY=1SU", "FREQ=YEARLY;BYMONTH=3,12;BYDAY=1SU"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;COUNT=3", "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1;COUNT=3"),
        ("FREQ=DAILY;UNTIL=2027-06-30", "FREQ=DAILY;UNTIL=20270630"),
        ("FREQ=DAILY;UNTIL=2027-06-30T22:00:00Z", "FREQ=DAILY;UNTIL=20270630T220000Z"),
        ("FREQ=DAILY;UNTIL=20270630T220000", "FREQ=DAILY;UNTIL=20270630T220000"),
    ];
    for (text, canonical) in written {
        assert_eq!(rule(text).to_string(), canonical);
    }
}

#[test]
fn a_rule_is_told_in_words() {
    let told = [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=2", "every other day"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=10", "every 3 days, 10 times"),
        ("FREQ=DAILY;BYMONTH=7,8", "every day in July and August"),
        ("FREQ=DAILY;BYDAY=SA,SU", "every day, only on Saturday and Sunday"),
        ("FREQ=WEEKLY", "every week"),
        ("FREQ=WEEKLY;BYDAY=FR", "every Friday"),
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR", "every Monday, Wednesday and Friday"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20270630", "every other Tuesday until 30 June 2027"),
        ("FREQ=WEEKLY;INTERVAL=3;BYDAY=TU", "every 3rd Tuesday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH", "every other week on Monday and Thursday"),
        ("FREQ=MONTHLY", "every month"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "every month on the 31st"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2", "every month on the second to last day"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "every month on the 1st and the 15th"),
        ("FREQ=MONTHLY;BYDAY=1MO", "every month on the first Monday"),
        ("FREQ=MONTHLY;BYDAY=-1FR;INTERVAL=3", "every 3 months on the last Friday"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month on the last weekday"),
        ("FREQ=MONTHLY;BYDAY=SA,SU;BYSETPOS=1", "every month on the first Saturday or Sunday"),
        ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", "every month on the 13th if it is a Friday"),
        ("FREQ=YEARLY", "every year"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=3", "every year on 3 March"),
        ("FREQ=YEARLY;BYMONTH=5;BYDAY=2SU", "every year on the second Sunday in May"),
        ("FREQ=YEARLY;BYMONTH=1,7", "every year in January and July"),
        ("FREQ=YEARLY;BYMONTHDAY=15", "every year on the 15th of every month"),
        ("FREQ=YEARLY;BYDAY=20MO", "every year on the 20th Monday"),
        ("FREQ=YEARLY;INTERVAL=4;UNTIL=20400101T120000Z", "every 4 years until 1 January 2040, 12:00 UTC"),
        ("FREQ=DAILY;COUNT=1", "every day, once"),
    ];
    for (text, words) in told {
        assert_eq!(rule(text).in_words(), words, "{text}");
    }
}

#[test]
fn a_wrong_rule_says_what_to_write_instead() {
    let wrong = [
        ("", "FREQ is missing", "FREQ=WEEKLY;BYDAY=MO,TH"),
        ("weekly", "not a repeat rule", "FREQ=DAILY"),
        ("BYDAY=MO", "FREQ is missing", "FREQ=DAILY"),
        ("FREQ=HOURLY", "FREQ=\"HOURLY\" is not supported", "DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY;BYHOUR=9", "\"BYHOUR\" is not supported", "The time of day is that of `due`"),
        ("FREQ=DAILY;WKST=SU", "\"WKST\" is not supported", "FREQ"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=\"0\" is out of range", "1 to 1000"),
        ("FREQ=DAILY;COUNT=-1", "COUNT", "1 to 10000"),
        ("FREQ=DAILY;FREQ=WEEKLY", "\"FREQ\" stands twice", "once"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "exclude each other", "Keep one"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL=\"SOON\" is not a date", "UNTIL=20270630"),
        ("FREQ=DAILY;UNTIL=20270230", "is not a date", "UNTIL=20270630"),
        ("FREQ=WEEKLY;BYDAY=MONDAY", "BYDAY has \"MONDAY\"", "MO, TU"),
        ("FREQ=WEEKLY;BYDAY=1MO", "needs FREQ=MONTHLY or YEARLY", "FREQ=MONTHLY;BYDAY=1MO"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "does not go with FREQ=WEEKLY", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("FREQ=MONTHLY;BYDAY=6MO", "at most five", "-1FR"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY has \"0\"", "1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY has \"32\"", "1 to 31"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH has \"13\"", "1 to 12"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH has \"-1\"", "1 to 12"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS needs BYDAY", "BYSETPOS=-1"),
        ("FREQ=MONTHLY;BYDAY=é", "BYDAY has \"é\"", "MO, TU"),
    ];
    for (text, problem, hint) in wrong {
        let error = text.parse::<Repeat>().unwrap_err();
        assert_eq!(error.field, "repeat");
        assert!(error.problem.contains(problem) && error.hint.contains(hint), "{text}: {error}");
    }
}

#[test]
fn a_rule_can_be_taken_apart_for_expansion() {
    let rule = rule("FREQ=YEARLY;INTERVAL=2;BYMONTH=3;BYDAY=-1SU;COUNT=5");
    assert_eq!((rule.frequency(), rule.interval(), rule.end()), (Frequency::Yearly, 2, End::Count(5)));
    assert_eq!((rule.by_month(), rule.by_day()[0].ordinal), (&[3_i8][..], Some(-1)));
}

prop_compose! {
    fn part()(name in "FREQ|INTERVAL|BYDAY|BYMONTHDAY|BYMONTH|BYSETPOS|COUNT|UNTIL|WKST",
              value in "DAILY|WEEKLY|MONTHLY|YEARLY|-?[0-9]{1,3}|(-?[1-5]?(MO|TU|WE|TH|FR|SA|SU),?){1,3}|20[0-9]{6}(T[0-2][0-9]0000Z?)?")
              -> String { format!("{name}={value}") }
}

proptest! {
    #[test]
    fn what_is_accepted_reads_back_as_the_same_rule(parts in prop::collection::vec(part(), 1..6)) {
        if let Ok(rule) = parts.join(";").parse::<Repeat>() {
            let canonical = rule.to_string();
            prop_assert_eq!(canonical.parse::<Repeat>().unwrap(), rule.clone());
            prop_assert!(rule.in_words().starts_with("every "));
        }
    }

    #[test]
    fn no_text_ends_the_process(text in any::<String>()) {
        let _ = text.parse::<Repeat>();
        let _ = format!("FREQ=MONTHLY;BYDAY={text}").parse::<Repeat>();
        let _ = format!("FREQ=MONTHLY;UNTIL={text}").parse::<Repeat>();
    }
}
