//! Points in time as Dapr's jobs name them: RFC 3339, Go's durations, ISO 8601 durations.

use jiff::{Span, Timestamp, tz::TimeZone};

/// What `text` means, counted from `now`.
pub(super) fn point_in_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(milliseconds) = go(text) {
        return now.checked_add(jiff::SignedDuration::from_nanos(i64::try_from(milliseconds).ok()?)).ok();
    }
    if text.starts_with('P') {
        let span: Span = text.parse().ok()?;
        return Some(now.to_zoned(TimeZone::UTC).checked_add(span).ok()?.timestamp());
    }
    // RFC 3339 wants a `T` and an offset; jiff would take more.
    let is_rfc3339 = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T');
    is_rfc3339.then(|| text.parse().ok()).flatten()
}

/// Go's `time.ParseDuration`, in nanoseconds: `1h30m`, `-1.5s`, `300ms`, `0`.
pub(super) fn go(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split(after, |c| !c.is_ascii_digit() && c != '.');
        total = total.checked_add(nanoseconds(number, unit)?)?;
        rest = after;
    }
    Some(sign * total)
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn nanoseconds(number: &str, unit: &str) -> Option<i128> {
    let unit: i128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Below a nanosecond there is nothing.
    let fraction = fraction.get(..fraction.len().min(18))?;
    let scaled = match fraction {
        "" => 0,
        digits => {
            digits.parse::<i128>().ok()?.checked_mul(unit)? / 10_i128.pow(u32::try_from(digits.len()).ok()?)
        }
    };
    whole.checked_mul(unit)?.checked_add(scaled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations_are_read_as_go_reads_them() {
        for (text, milliseconds) in [
            ("1h30m", 5_400_000),
            ("-1.5s", -1_500),
            ("300ms", 300),
            ("0", 0),
            (".5s", 500),
            ("1m1s", 61_000),
        ] {
            assert_eq!(go(text), Some(milliseconds * 1_000_000), "{text}");
        }
        for text in ["", "5", "s", "5 s", "1d", "-", "."] {
            assert_eq!(go(text), None, "{text}");
        }
    }

    #[test]
    fn a_point_in_time_is_an_instant_or_counted_from_now() {
        let now: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-05-01T10:00:00+02:00", "2026-05-01T08:00:00Z"),
            ("90s", "2026-01-31T00:01:30Z"),
            ("PT1H", "2026-01-31T01:00:00Z"),
            ("P1M", "2026-02-28T00:00:00Z"),
        ] {
            assert_eq!(point_in_time(text, now), Some(expected.parse().unwrap()), "{text}");
        }
        for text in ["tomorrow", "2026-05-01", "5 minutes", "", "P"] {
            assert_eq!(point_in_time(text, now), None, "{text}");
        }
    }
}
