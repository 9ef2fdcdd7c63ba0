//! Whether a person's chain is whole, and which of their events are missing from it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{CHAIN, Entry, entries_of};
use crate::database::Work;
use crate::{Error, Transaction};

/// Entries read at once: at most some megabytes.
const PAGE: usize = 200;

/// Ranges of missing numbers that are told; more would not say more.
const MISSING_LIMIT: usize = 100;

/// What a check of a chain found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Entries that were checked: all that are kept.
    pub entries: i64,
    /// The last entry that was removed because of its age, 0 when none was.
    pub cut_entry: i64,
    /// Where the chain ends.
    pub last_entry: i64,
    /// The hash of that entry, which stands for all of them.
    pub last_hash: String,
    /// The first entry that is not as it was recorded.
    pub first_break: Option<Break>,
    /// Numbers of events that were never recorded, from the first to the last of each range: between 1, or what was removed, and the
    /// highest one recorded. An event that is on its way at this moment counts too. The first 100 ranges.
    pub missing: Vec<(i64, i64)>,
    /// The highest number of an event that was recorded.
    pub last_sequence: i64,
}

/// Where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Break {
    /// The number of the entry.
    pub entry: i64,
    /// What is wrong there.
    pub reason: &'static str,
}

impl Report {
    /// Whether nothing was changed and nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.first_break.is_none() && self.missing.is_empty()
    }
}

/// Checks the tenant's whole chain.
pub async fn verify(tx: &mut Transaction) -> Result<Report, Error> {
    let user_id = tx.user_id().to_owned();
    verify_of(tx.work(), &user_id).await
}

pub(super) async fn verify_of(work: &mut Work, user_id: &str) -> Result<Report, Error> {
    let Some(mut head) = work.row(CHAIN, vec![user_id.into()]).await? else { return Ok(Report::default()) };
    let mut report = Report { last_entry: head.integer()?, last_hash: head.text()?, ..Report::default() };
    report.cut_entry = head.integer()?;
    let mut chain =
        Chain { entry: report.cut_entry, hash: head.text()?, numbers: Numbers::after(head.integer()?) };
    // Only as far as the chain went when its head was read: what is recorded meanwhile is for the next check.
    while chain.entry < report.last_entry && report.first_break.is_none() {
        let page = entries_of(work, user_id, chain.entry, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for entry in page.iter().take_while(|entry| entry.entry <= report.last_entry) {
            report.first_break = chain.continued_by(entry)?;
            if report.first_break.is_some() {
                break;
            }
            report.entries += 1;
        }
    }
    if report.first_break.is_none() && (chain.entry, &chain.hash) != (report.last_entry, &report.last_hash) {
        let reason = "the entries end before the end that was noted";
        report.first_break = Some(Break { entry: chain.entry.saturating_add(1), reason });
    }
    report.last_sequence = chain.numbers.highest();
    report.missing = chain.numbers.gaps();
    Ok(report)
}

/// The chain as far as it was checked.
struct Chain {
    entry: i64,
    hash: String,
    numbers: Numbers,
}

impl Chain {
    fn continued_by(&mut self, entry: &Entry) -> Result<Option<Break>, Error> {
        let expected = self.entry.saturating_add(1);
        let reason = if entry.entry != expected {
            "it is not there"
        } else if entry.previous_hash != self.hash {
            "it does not follow the entry before it"
        } else if entry.hash != entry.hash_after(&self.hash)? {
            "its content is not what was recorded"
        } else {
            self.entry = entry.entry;
            self.hash.clone_from(&entry.hash);
            self.numbers.insert(entry.sequence);
            return Ok(None);
        };
        Ok(Some(Break { entry: expected, reason }))
    }
}

/// The numbers of events, as ranges without a gap: events of different topics are recorded in any order, so a gap is known to be one
/// only at the end.
struct Numbers {
    after: i64,
    ranges: BTreeMap<i64, i64>,
}

impl Numbers {
    fn after(after: i64) -> Self {
        Self { after, ranges: BTreeMap::new() }
    }

    fn insert(&mut self, number: i64) {
        if number <= self.after {
            return;
        }
        let before = self.ranges.range(..=number).next_back().map(|(start, end)| (*start, *end));
        let (start, end) = match before {
            Some((start, end)) if number <= end => (start, end),
            Some((start, end)) if number == end.saturating_add(1) => (start, number),
            _ => (number, number),
        };
        let end = self.ranges.remove(&end.saturating_add(1)).unwrap_or(end);
        self.ranges.insert(start, end);
    }

    fn highest(&self) -> i64 {
        self.ranges.last_key_value().map_or(self.after, |(_, end)| *end)
    }

    fn gaps(&self) -> Vec<(i64, i64)> {
        let mut expected = self.after.saturating_add(1);
        let mut gaps = Vec::new();
        for (start, end) in &self.ranges {
            if *start > expected {
                gaps.push((expected, start - 1));
            }
            expected = end.saturating_add(1);
        }
        gaps.truncate(MISSING_LIMIT);
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    fn gaps(after: i64, numbers: &[i64]) -> Vec<(i64, i64)> {
        let mut all = Numbers::after(after);
        numbers.iter().for_each(|number| all.insert(*number));
        all.gaps()
    }

    #[test]
    fn numbers_in_any_order_have_no_gap_when_all_are_there() {
        assert_eq!(gaps(0, &[3, 1, 5, 2, 4, 4, 0]), []);
        assert_eq!(gaps(7, &[9, 8, 3, 10]), []);
        assert_eq!(gaps(0, &[]), []);
    }

    #[test]
    fn a_number_that_is_not_there_is_a_gap() {
        assert_eq!(gaps(0, &[2, 3, 7, 9]), [(1, 1), (4, 6), (8, 8)]);
        assert_eq!(gaps(7, &[3, 10]), [(8, 9)]);
    }
}
