//! When something happens again and again.

use std::time::Duration;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::duration;

/// A schedule as Dapr's jobs and Knative's `PingSource` write it.
#[derive(Clone, Debug)]
pub enum Schedule {
    /// `@every 5s`: counted from the occurrence before.
    Every(Duration),
    /// By the clock of a zone.
    Cron(Box<Cron>, TimeZone),
}

impl Schedule {
    /// A job's schedule: six fields (seconds first), `@every <duration>`, `@hourly` and its like; `TZ=<zone> ` may stand before
    /// it, else it is UTC.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn job(text: &str) -> Result<Self, String> {
        let (zone, text) = match text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) {
            Some(rest) => rest.split_once(' ').ok_or("a schedule is to follow the zone")?,
            None => ("UTC", text),
        };
        let text = text.trim();
        if let Some(period) = text.strip_prefix("@every ") {
            let nanoseconds = duration::go(period).filter(|nanoseconds| *nanoseconds > 0);
            let nanoseconds = nanoseconds.and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
            let period =
                nanoseconds.map(Duration::from_nanos).ok_or(format!("failed to parse duration {text}"))?;
            return Ok(Self::Every(period));
        }
        Self::cron(nickname(text)?, zone, Seconds::Required)
    }

    /// A `PingSource`'s schedule: five fields, or six with the seconds first; `@hourly` and its like, but no `@every`, which
    /// Knative refuses too.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn ping(text: &str, zone: Option<&str>) -> Result<Self, String> {
        if text.starts_with("@every") {
            return Err(
                "unsupported descriptor @every; write seconds as a first field, such as */5 * * * * *".into(),
            );
        }
        Self::cron(nickname(text)?, zone.unwrap_or("UTC"), Seconds::Optional)
    }

    fn cron(text: &str, zone: &str, seconds: Seconds) -> Result<Self, String> {
        let zone = match zone {
            "UTC" => TimeZone::UTC,
            zone => TimeZone::get(zone).map_err(|_| format!("provided bad location {zone}"))?,
        };
        let fields = text.split_whitespace().count();
        let allowed = if seconds.is_required() { 6..=6 } else { 5..=6 };
        if !allowed.contains(&fields) {
            return Err(format!("expected {} fields, found {fields}: {text}", allowed.end()));
        }
        let parser =
            CronParser::builder().seconds(seconds).year(Year::Disallowed).sloppy_ranges(true).build();
        let cron = parser.parse(text).map_err(|error| error.to_string())?;
        Ok(Self::Cron(Box::new(cron), zone))
    }

    /// The first occurrence after `time`; none when there is no other.
    pub fn next(&self, time: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(period) => time.checked_add(SignedDuration::try_from(*period).ok()?).ok(),
            Self::Cron(cron, zone) => {
                let next = cron.find_next_occurrence(&time.to_zoned(zone.clone()), false).ok()?;
                Some(next.timestamp())
            }
        }
    }

    /// The first occurrence after `last` that is not before `now`: what was missed meanwhile is skipped, the rhythm is kept.
    pub fn next_from(&self, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let next = self.next(last)?;
        if next >= now {
            return Some(next);
        }
        match self {
            Self::Every(period) => {
                let behind = Duration::try_from(last.duration_until(now)).ok()?.as_nanos();
                let periods = behind / period.as_nanos().max(1) + 1;
                let step = period.as_nanos().checked_mul(periods)?;
                last.checked_add(SignedDuration::from_nanos(i64::try_from(step).ok()?)).ok()
            }
            Self::Cron(..) => self.next(now),
        }
    }
}

fn nickname(text: &str) -> Result<&str, String> {
    Ok(match text {
        "@yearly" | "@annually" => "0 0 0 1 1 *",
        "@monthly" => "0 0 0 1 * *",
        "@weekly" => "0 0 0 * * 0",
        "@daily" | "@midnight" => "0 0 0 * * *",
        "@hourly" => "0 0 * * * *",
        text if text.starts_with('@') => return Err(format!("unrecognized descriptor: {text}")),
        text => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &Schedule, after: &str) -> String {
        schedule.next(after.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn schedules_are_read_as_dapr_reads_them() {
        for (text, after, expected) in [
            ("@every 1m30s", "2026-01-01T00:00:00.5Z", "2026-01-01T00:01:30.5Z"),
            ("@hourly", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"),
            ("*/5 * * * * *", "2026-01-01T00:00:01Z", "2026-01-01T00:00:05Z"),
            ("0 30 9 * * MON-FRI", "2026-01-03T00:00:00Z", "2026-01-05T09:30:00Z"),
            ("TZ=Europe/Berlin 0 0 9 * * *", "2026-07-01T00:00:00Z", "2026-07-01T07:00:00Z"),
        ] {
            assert_eq!(next(&Schedule::job(text).unwrap(), after), expected, "{text}");
        }
        for text in
            ["", "* * * * *", "@every", "@every 5", "@reboot", "TZ=Nowhere/X 0 0 9 * * *", "61 * * * * *"]
        {
            assert!(Schedule::job(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_ping_may_have_seconds_but_no_every() {
        let schedule = Schedule::ping("*/5 * * * * *", None).unwrap();
        assert_eq!(next(&schedule, "2026-01-01T00:00:01Z"), "2026-01-01T00:00:05Z");
        let schedule = Schedule::ping("0 9 * * *", Some("Europe/Berlin")).unwrap();
        assert_eq!(next(&schedule, "2026-01-01T00:00:01Z"), "2026-01-01T08:00:00Z");
        assert!(Schedule::ping("@every 5s", None).is_err());
    }

    #[test]
    fn what_was_missed_is_skipped_and_the_rhythm_kept() {
        let (last, now) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2026-01-01T00:01:02Z".parse().unwrap());
        let schedule = Schedule::job("@every 5s").unwrap();
        assert_eq!(schedule.next_from(last, now).unwrap().to_string(), "2026-01-01T00:01:05Z");
        assert_eq!(schedule.next_from(last, last).unwrap().to_string(), "2026-01-01T00:00:05Z");
    }
}
