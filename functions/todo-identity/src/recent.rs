use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// More people than one instance serves within a token's life; what is forgotten is only computed again.
const CAPACITY: usize = 1024;

/// What was computed lately and holds until a time (in seconds since 1970). Signing and verifying are most of what a warm
/// call computes, and the calls of one turn come from one person within seconds.
#[derive(Debug)]
pub(crate) struct Recent<K, V>(Mutex<HashMap<K, (V, u64)>>);

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    pub fn get(&self, key: &K, now: u64) -> Option<V> {
        self.kept().get(key).filter(|(_, until)| now < *until).map(|(value, _)| value.clone())
    }

    pub fn keep(&self, key: K, value: V, now: u64, until: u64) {
        let mut kept = self.kept();
        if kept.len() >= CAPACITY {
            kept.retain(|_, (_, until)| now < *until);
        }
        if kept.len() < CAPACITY {
            kept.insert(key, (value, until));
        }
    }

    /// Nothing is ever half-written: a panic elsewhere leaves the map whole.
    fn kept(&self) -> MutexGuard<'_, HashMap<K, (V, u64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_given_until_its_time_and_not_at_it() {
        let recent = Recent::default();
        recent.keep("key", "value", 100, 130);
        assert_eq!((recent.get(&"key", 129), recent.get(&"key", 130)), (Some("value"), None));
    }

    #[test]
    fn what_is_over_makes_room_and_what_still_holds_is_never_more_than_the_capacity() {
        let recent = Recent::default();
        (0..CAPACITY).for_each(|key| recent.keep(key, (), 100, 130));
        recent.keep(CAPACITY, (), 129, 160);
        assert_eq!(recent.get(&CAPACITY, 129), None);
        recent.keep(CAPACITY, (), 130, 160);
        assert_eq!((recent.get(&CAPACITY, 130), recent.kept().len()), (Some(()), 1));
    }
}
