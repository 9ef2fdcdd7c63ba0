use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::error::Problem;

/// A turn takes a few seconds; sooner is not worth asking.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How many turns this process takes at once, in all and for one person. What is over is refused at once rather than
/// queued: a queue that nobody sees only makes everybody late.
pub(super) struct Admission {
    counts: Arc<Mutex<Counts>>,
    most: usize,
    most_per_person: usize,
}

#[derive(Default)]
struct Counts {
    all: usize,
    people: HashMap<String, usize>,
}

/// Room for one turn, given back when dropped.
pub(super) struct Permit {
    counts: Arc<Mutex<Counts>>,
    user_id: String,
}

impl Admission {
    pub fn new(most: usize, most_per_person: usize) -> Self {
        Self { counts: Arc::default(), most, most_per_person }
    }

    pub fn admit(&self, user_id: &str) -> Result<Permit, Problem> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = counts.people.get(user_id).copied().unwrap_or_default();
        if theirs >= self.most_per_person {
            let message = "You have several messages under way already; wait for an answer before the next.";
            return Err(Problem::too_many(message, RETRY_AFTER));
        }
        if counts.all >= self.most {
            let message = "The assistant has as much to do as it can; try again in a moment.";
            return Err(Problem::unavailable(message, RETRY_AFTER));
        }
        counts.all += 1;
        counts.people.insert(user_id.to_owned(), theirs + 1);
        Ok(Permit { counts: Arc::clone(&self.counts), user_id: user_id.to_owned() })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all -= 1;
        // Nobody who has left keeps a place in memory.
        match counts.people.get_mut(&self.user_id) {
            Some(theirs) if *theirs > 1 => *theirs -= 1,
            _ => drop(counts.people.remove(&self.user_id)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may end here")]
    use super::*;

    #[test]
    fn one_person_cannot_take_the_room_of_all() {
        let admission = Admission::new(3, 2);
        let (_one, two) = (admission.admit("ada").unwrap(), admission.admit("ada").unwrap());
        assert_eq!(admission.admit("ada").err().unwrap().status, 429);
        let _bob = admission.admit("bob").unwrap();
        assert_eq!(admission.admit("cy").err().unwrap().status, 503);
        drop(two);
        assert!(admission.admit("cy").is_ok());
        assert!(admission.admit("ada").is_ok());
    }
}
