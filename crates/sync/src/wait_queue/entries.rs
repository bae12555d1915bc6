//! A table of entries with stable keys whose places are reused: what a wait queue keeps its waiters in.
//!
//! Not here: order. Free places form a stack, so a queue with few waiters at a time stays in few lines of memory.

use super::NONE;

enum Place<T> {
    Taken(T),
    /// The next free place, or `NONE`.
    Free(u32),
}

pub(super) struct Entries<T> {
    places: Vec<Place<T>>,
    free: u32,
}

impl<T> Entries<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: NONE }
    }

    /// Allocates only when there are more entries than ever before.
    ///
    /// # Panics
    /// With 2^32 - 1 entries.
    pub(super) fn insert(&mut self, entry: T) -> u32 {
        let key = self.free;
        if key == NONE {
            let key = u32::try_from(self.places.len()).ok().filter(|&key| key != NONE);
            let key = key.expect("fewer than 2^32 - 1 waiters");
            self.places.push(Place::Taken(entry));
            return key;
        }
        match core::mem::replace(&mut self.places[key as usize], Place::Taken(entry)) {
            Place::Free(next) => self.free = next,
            Place::Taken(_) => unreachable!("a place in the free list is free"),
        }
        key
    }

    pub(super) fn remove(&mut self, key: u32) -> T {
        match core::mem::replace(&mut self.places[key as usize], Place::Free(self.free)) {
            Place::Taken(entry) => {
                self.free = key;
                entry
            }
            Place::Free(_) => unreachable!("{ABSENT}"),
        }
    }
}

impl<T> core::ops::Index<u32> for Entries<T> {
    type Output = T;
    fn index(&self, key: u32) -> &T {
        match &self.places[key as usize] {
            Place::Taken(entry) => entry,
            Place::Free(_) => unreachable!("{ABSENT}"),
        }
    }
}

impl<T> core::ops::IndexMut<u32> for Entries<T> {
    fn index_mut(&mut self, key: u32) -> &mut T {
        match &mut self.places[key as usize] {
            Place::Taken(entry) => entry,
            Place::Free(_) => unreachable!("{ABSENT}"),
        }
    }
}

const ABSENT: &str = "a key was used whose entry was removed";

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Entries;

    #[test]
    fn removed_places_are_reused_and_other_keys_stay_good() {
        let mut entries = Entries::new();
        let keys = [1, 2, 3].map(|value| entries.insert(value));
        assert_eq!(entries.remove(keys[1]), 2);
        assert_eq!(entries.remove(keys[0]), 1);
        assert_eq!(entries.insert(4), keys[0]);
        entries[keys[0]] += 1;
        assert_eq!(entries.insert(6), keys[1]);
        assert_eq!(keys.map(|key| entries[key]), [5, 6, 3]);
        assert_eq!(entries.places.len(), 3);
    }

    #[test]
    #[should_panic(expected = "a key was used whose entry was removed")]
    fn a_stale_key_is_noticed() {
        let mut entries = Entries::new();
        let key = entries.insert(());
        entries.remove(key);
        entries.remove(key);
    }
}
