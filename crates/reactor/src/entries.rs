//! The readiness slots of one driver, in memory that is never given back, so that an event finds its slot without a lock.
//!
//! A source is known to the system by its [`Key`]: index and generation in one word. An event that was on its way when
//! its source left carries an old generation and finds nothing.
//!
//! Invariants:
//! - `entries.stable`: an entry is never moved or freed while the driver lives; pages double in size and are only added.
//! - `entries.generation`: a key finds its entry from `insert` to `remove`, and never again.
//! - `entries.stale-is-harmless`: between an event's look at the generation and its report the entry may change hands.
//!   The new owner then looks ready for nothing, and its next system call says so; nobody's event is lost.
//!
//! Memory: 32 bytes per source, at the highest number of sources that the driver ever had.
//!
//! Not here: who registers what, and with which queue (`driver`, `source`).

use crate::slot::Slot;
use cx::Waiter;
use std::sync::atomic::{
    AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Sources on the first page; each further page has twice as many.
const FIRST_PAGE: usize = 64;
/// As many pages as 32 bits of index fill, without the last few numbers: they are the reserved keys.
const PAGES: usize = 26;
/// A key is one word: half of it index, half generation.
const INDEX_BITS: u32 = usize::BITS / 2;
const INDEX_MASK: usize = (1 << INDEX_BITS) - 1;
const LIMIT: usize = if INDEX_MASK - 64 < FIRST_PAGE * ((1 << PAGES) - 1) {
    INDEX_MASK - 64
} else {
    FIRST_PAGE * ((1 << PAGES) - 1)
};

/// A source's name in the system's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(usize);

impl Key {
    /// What came back with an event.
    pub(crate) fn from_word(word: usize) -> Key {
        Key(word)
    }

    /// What the system is given.
    pub(crate) fn word(self) -> usize {
        self.0
    }

    fn new(index: usize, generation: u32) -> Key {
        Key(index | (generation as usize) << INDEX_BITS)
    }

    fn index(self) -> usize {
        self.0 & INDEX_MASK
    }

    /// Whether this is the generation that the key was made with, as far as the key has room for it.
    fn is_of(self, generation: u32) -> bool {
        self.0 >> INDEX_BITS == generation as usize & INDEX_MASK
    }
}

struct Entry {
    slot: Slot<Waiter>,
    generation: AtomicU32,
}

#[derive(Default)]
struct Free {
    again: Vec<u32>,
    next: usize,
}

/// The slots of one driver.
pub(crate) struct Entries {
    pages: [OnceLock<Box<[Entry]>>; PAGES],
    free: Mutex<Free>,
    live: AtomicUsize,
}

impl Entries {
    pub(crate) fn new() -> Entries {
        Entries {
            pages: [const { OnceLock::new() }; PAGES],
            free: Mutex::default(),
            live: AtomicUsize::new(0),
        }
    }

    /// How many sources there are. One load, for whoever wants to skip looking for events.
    pub(crate) fn live(&self) -> usize {
        self.live.load(Relaxed)
    }

    /// An entry for a new source, its slot beginning with `assumed`; nothing when all indexes are taken.
    pub(crate) fn insert(&self, assumed: u32) -> Option<Key> {
        let index = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            match free.again.pop() {
                Some(index) => index as usize,
                None if free.next < LIMIT => {
                    free.next += 1;
                    free.next - 1
                }
                None => return None,
            }
        };
        self.live.fetch_add(1, Relaxed);
        let entry = self.entry(index);
        entry.slot.reset(assumed);
        Some(Key::new(index, entry.generation.load(Relaxed)))
    }

    /// The slot that an event of this key is for, unless its source has left.
    pub(crate) fn find(&self, key: Key) -> Option<&Slot<Waiter>> {
        let (page, at) = place(key.index())?;
        let entry = self.pages[page].get()?.get(at)?;
        key.is_of(entry.generation.load(Acquire)).then_some(&entry.slot)
    }

    /// The slot of a source that has not left.
    pub(crate) fn slot(&self, key: Key) -> &Slot<Waiter> {
        debug_assert!(self.find(key).is_some(), "a source outlived its entry");
        &self.entry(key.index()).slot
    }

    /// The source has left the system's queue.
    pub(crate) fn remove(&self, key: Key) {
        let entry = self.entry(key.index());
        debug_assert!(key.is_of(entry.generation.load(Relaxed)), "a source left twice");
        entry.generation.fetch_add(1, Release);
        entry.slot.reset(0);
        self.live.fetch_sub(1, Relaxed);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.again.push(key.index() as u32);
    }

    fn entry(&self, index: usize) -> &Entry {
        let (page, at) = place(index).expect("indexes stay below the limit");
        let entries = self.pages[page].get_or_init(|| {
            let size = FIRST_PAGE << page;
            (0..size).map(|_| Entry { slot: Slot::new(), generation: AtomicU32::new(0) }).collect()
        });
        &entries[at]
    }
}

/// Page and place of an index; nothing for an index that was never given out.
fn place(index: usize) -> Option<(usize, usize)> {
    if index >= LIMIT {
        return None;
    }
    let page = (index / FIRST_PAGE + 1).ilog2() as usize;
    Some((page, index - FIRST_PAGE * ((1 << page) - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::{Direction, event};

    #[test]
    fn places_follow_each_other_without_gap_or_overlap() {
        let mut expected = (0, 0);
        for index in 0..5000 {
            assert_eq!(place(index), Some(expected), "index {index}");
            expected.1 += 1;
            if expected.1 == FIRST_PAGE << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(place(LIMIT), None);
        assert!(place(LIMIT - 1).is_some_and(|(page, _)| page < PAGES));
    }

    #[test]
    fn a_key_finds_its_slot_until_its_source_leaves() {
        let entries = Entries::new();
        let key = entries.insert(event::WRITE).expect("room");
        assert!(entries.find(key).is_some_and(|slot| slot.ready(Direction::Write).is_some()));
        entries.remove(key);
        assert!(entries.find(key).is_none());
        assert_eq!(entries.live(), 0);
    }

    #[test]
    fn an_index_that_is_used_again_has_another_key_and_a_fresh_slot() {
        let entries = Entries::new();
        let old = entries.insert(event::READ).expect("room");
        entries.remove(old);
        let new = entries.insert(0).expect("room");
        assert_eq!(old.index(), new.index());
        assert_ne!(old, new);
        assert!(entries.find(old).is_none(), "a late event of the old source finds nothing");
        assert!(entries.slot(new).ready(Direction::Read).is_none());
    }

    #[test]
    fn words_that_never_were_keys_find_nothing() {
        let entries = Entries::new();
        for word in [0, 7, INDEX_MASK, usize::MAX, usize::MAX - 1] {
            assert!(entries.find(Key::from_word(word)).is_none(), "{word:#x}");
        }
    }

    #[test]
    fn a_generation_that_outgrows_its_half_of_the_key_still_matches_its_own_key() {
        let key = Key::new(5, u32::MAX);
        assert!(key.is_of(u32::MAX) && !key.is_of(u32::MAX - 1));
        assert_eq!(key.index(), 5);
    }
}
