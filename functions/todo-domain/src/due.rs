//! When a task is due: kept as wall-clock time with its zone, mapped to an instant only to compare.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::Invalid;
use crate::invalid::quoted;

const DUE_HINT: &str = "Send a date \"2026-11-27\", a local time \"2026-11-27T09:00\" (read in `timezone`), \
                        or RFC 3339 with an offset \"2026-11-27T09:00:00+01:00\".";

/// An IANA time zone such as `Europe/Berlin`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC: what is assumed when neither the call nor the task says a zone.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Looks a zone up by its IANA name, in any case.
    pub fn parse(field: &str, name: &str) -> Result<Self, Invalid> {
        let hint = "Send an IANA name such as \"Europe/Berlin\", \"America/New_York\" or \"UTC\".";
        let unknown = || Invalid::new(field, format!("{} is not a known zone", quoted(name)), hint);
        let zone = TimeZone::get(name.trim()).map_err(|_| unknown())?;
        // A zone without a name could be neither stored nor shown.
        zone.iana_name().ok_or_else(unknown)?;
        Ok(Self(zone))
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The zone's rules.
    pub fn rules(&self) -> &TimeZone {
        &self.0
    }

    /// The instant of a wall-clock time: in a gap shifted forward, in an overlap the first.
    pub fn instant(&self, local: DateTime) -> Timestamp {
        // Out of jiff's range only in the last hours of the year 9999.
        self.0.to_ambiguous_zoned(local).compatible().map_or(Timestamp::MAX, |at| at.timestamp())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A due date (all day) or a due time, in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// Any time on that day.
    AllDay {
        /// The day.
        date: Date,
        /// Where that day begins and ends.
        zone: Zone,
    },
    /// At that moment.
    At {
        /// Wall-clock time, to the second.
        local: DateTime,
        /// Where that clock hangs.
        zone: Zone,
    },
}

impl Due {
    /// The last moment at which the task is not yet overdue: the due time, or the last millisecond of the due day. So a
    /// task due all day on the 27th is before the 28th, not before the noon of the 27th.
    pub fn instant(&self) -> Timestamp {
        match self {
            Self::At { local, zone } => zone.instant(*local),
            Self::AllDay { date, zone } => {
                let Ok(next) = date.tomorrow() else {
                    return Timestamp::MAX;
                };
                let midnight = zone.instant(next.at(0, 0, 0, 0));
                midnight.checked_sub(SignedDuration::from_millis(1)).unwrap_or(midnight)
            }
        }
    }

    /// The zone it is read in.
    pub fn zone(&self) -> &Zone {
        match self {
            Self::AllDay { zone, .. } | Self::At { zone, .. } => zone,
        }
    }

    /// The wall-clock time; an all-day task's is the start of its day.
    pub fn local(&self) -> DateTime {
        match self {
            Self::AllDay { date, .. } => date.at(0, 0, 0, 0),
            Self::At { local, .. } => *local,
        }
    }

    /// The wall-clock text the store keeps and a series names its occurrences by: `2026-11-27` or
    /// `2026-11-27T09:00:00`. With the zone's name, [`Due::from_stored`] reads it back.
    pub fn local_text(&self) -> String {
        match self {
            Self::AllDay { date, .. } => date.to_string(),
            Self::At { local, .. } => local.to_string(),
        }
    }

    /// Reads what [`Due::local_text`] wrote.
    pub fn from_stored(local_text: &str, zone: &str) -> Result<Self, Invalid> {
        let zone = Zone::parse("timezone", zone)?;
        let written = WrittenDue::parse("due", local_text, None)?;
        Ok(written.resolve(Some(&zone)))
    }
}

/// On the wire: `2026-11-27`, or RFC 3339 with the offset in force: `2026-11-27T09:00:00+01:00`.
impl fmt::Display for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllDay { date, .. } => date.fmt(f),
            Self::At { zone, .. } => {
                let instant = self.instant();
                let offset = zone.rules().to_offset(instant);
                instant.display_with_offset(offset).fmt(f)
            }
        }
    }
}

/// A due date as the caller wrote it. Without a zone it still has to be [resolved](WrittenDue::resolve), for which an update
/// uses the zone the task already has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenDue {
    when: When,
    zone: Option<Zone>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    Day(Date),
    Local(DateTime),
    Instant(Timestamp),
}

impl WrittenDue {
    /// Reads a date, a local date-time or an RFC 3339 instant. Fractions of a second are dropped; years 1970–9999.
    pub fn parse(field: &str, text: &str, zone: Option<Zone>) -> Result<Self, Invalid> {
        let text = text.trim();
        let problem = format!("{} is not a date or time", quoted(text));
        let when = When::read(text).ok_or_else(|| Invalid::new(field, problem, DUE_HINT))?;
        if when.year() < 1970 {
            return Err(Invalid::new(field, "the year is before 1970", "Send a year from 1970 to 9999."));
        }
        Ok(Self { when, zone })
    }

    /// The due date in its own zone, else in `fallback`, else in UTC. An instant keeps its moment and takes on the zone.
    pub fn resolve(self, fallback: Option<&Zone>) -> Due {
        let zone = self.zone.or_else(|| fallback.cloned()).unwrap_or(Zone::UTC);
        match self.when {
            When::Day(date) => Due::AllDay { date, zone },
            When::Local(local) => Due::At { local, zone },
            When::Instant(at) => Due::At { local: zone.rules().to_datetime(at), zone },
        }
    }

    /// As a bound of a period: the instant itself, or the start of the day.
    pub fn bound(self) -> Timestamp {
        match self.resolve(None) {
            due @ Due::At { .. } => due.instant(),
            due @ Due::AllDay { .. } => due.zone().instant(due.local()),
        }
    }
}

impl When {
    fn read(text: &str) -> Option<Self> {
        // jiff reads a date out of a date-time and the other way round; here the difference means "all day".
        if text.len() <= 10 {
            return text.parse().ok().map(Self::Day);
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            let whole = Timestamp::from_second(at.as_second()).ok()?;
            return Some(Self::Instant(whole));
        }
        let local: DateTime = text.parse().ok()?;
        Some(Self::Local(local.with().subsec_nanosecond(0).build().ok()?))
    }

    fn year(&self) -> i16 {
        match self {
            Self::Day(date) => date.year(),
            Self::Local(local) => local.year(),
            Self::Instant(at) => TimeZone::UTC.to_datetime(*at).year(),
        }
    }
}
