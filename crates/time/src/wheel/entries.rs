//! The wheel's own slab: where timers live, and how a [`Key`] finds one again.
//!
//! An entry never moves while its timer is in the wheel; slots refer to it by number. Vacant
//! entries form a list through their `position` field, last freed first reused, so that a timer
//! which is armed and cancelled over and over stays in one cache line. The slab keeps its largest
//! size.
//!
//! Invariants:
//! - `entries.fresh`: an entry's generation grows each time a timer leaves it and never wraps: an
//!   entry that used its last generation is retired for good (one entry lost per four billion
//!   timers). So a stale key can not name a younger timer.
//! - `entries.hole`: no entry has the number `u32::MAX`, which slots use for a hole and this file
//!   for the end of the vacant list.
//!
//! Not here: slots and the meaning of `slot` and `position` ([`super`], [`super::slot`]).

use alloc::vec::Vec;
use core::num::NonZeroU32;

use types::Time;

/// The end of the list of vacant entries.
const END: u32 = u32::MAX;

/// Names one timer of one [`Wheel`](super::Wheel).
///
/// A key goes stale when its timer fires or is removed; a stale key is harmless and names nothing,
/// ever again. A key of another wheel may name an unrelated timer: keep each key beside its wheel.
/// Eight bytes, and `Option<Key>` is no larger.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key {
    index: u32,
    generation: NonZeroU32,
}

impl Key {
    /// The key as one number, for an interface that knows no types of this crate.
    #[inline]
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation.get()) << 32 | u64::from(self.index)
    }

    /// Takes back what [`Key::to_bits`] gave; `None` for a number that no key has.
    #[inline]
    pub fn from_bits(bits: u64) -> Option<Key> {
        Some(Key { index: bits as u32, generation: NonZeroU32::new((bits >> 32) as u32)? })
    }

    #[inline]
    pub(super) fn index(self) -> u32 {
        self.index
    }
}

pub(super) struct Entry<T> {
    pub(super) deadline: Time,
    /// The slot that holds the entry, counted through all levels.
    pub(super) slot: u32,
    /// The index in the slot's vector; of a vacant entry, the next vacant one.
    pub(super) position: u32,
    generation: NonZeroU32,
    value: Option<T>,
}

impl<T> Entry<T> {
    /// Looks at both ends of the entry, which may lie in two cache lines.
    #[inline]
    pub(super) fn touch(&self) -> u32 {
        self.slot ^ u32::from(self.value.is_some())
    }
}

pub(super) struct Entries<T> {
    all: Vec<Entry<T>>,
    vacant: u32,
    live: usize,
}

impl<T> Entries<T> {
    pub(super) const fn new() -> Self {
        Entries { all: Vec::new(), vacant: END, live: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// Stores a timer that is not in a slot yet; the caller sets `slot` and `position`.
    #[inline]
    pub(super) fn insert(&mut self, deadline: Time, value: T) -> Key {
        let index = self.vacant;
        let key = match self.all.get_mut(index as usize) {
            Some(entry) => {
                debug_assert!(entry.value.is_none());
                self.vacant = entry.position;
                entry.deadline = deadline;
                entry.value = Some(value);
                Key { index, generation: entry.generation }
            }
            None => self.grow(deadline, value),
        };
        self.live += 1;
        key
    }

    #[cold]
    fn grow(&mut self, deadline: Time, value: T) -> Key {
        let index = u32::try_from(self.all.len()).ok().filter(|&index| index != END);
        let index = index.expect("a timer wheel holds fewer than 2^32 - 1 timers");
        let generation = NonZeroU32::MIN;
        self.all.push(Entry { deadline, slot: 0, position: 0, generation, value: Some(value) });
        Key { index, generation }
    }

    /// The number of the entry `key` names, or `None` if the key is stale.
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<u32> {
        let entry = self.all.get(key.index as usize)?;
        let fresh = entry.generation == key.generation && entry.value.is_some();
        fresh.then_some(key.index)
    }

    /// The value of the timer `key` names, or `None` if the key is stale.
    #[inline]
    pub(super) fn value_mut(&mut self, key: Key) -> Option<&mut T> {
        let entry = self.all.get_mut(key.index as usize)?;
        if entry.generation == key.generation { entry.value.as_mut() } else { None }
    }

    #[inline]
    pub(super) fn entry(&self, index: u32) -> &Entry<T> {
        &self.all[index as usize]
    }

    #[inline]
    pub(super) fn entry_mut(&mut self, index: u32) -> &mut Entry<T> {
        &mut self.all[index as usize]
    }

    /// Takes a timer out and frees its entry, which must be occupied.
    #[inline]
    pub(super) fn take(&mut self, index: u32) -> (Time, T) {
        let entry = &mut self.all[index as usize];
        let value = entry.value.take().expect("a slot named a vacant entry");
        self.live -= 1;
        if types::seeded!("time.stale_key") {
            entry.position = self.vacant;
            self.vacant = index;
        } else if let Some(next) = entry.generation.checked_add(1) {
            entry.generation = next;
            entry.position = self.vacant;
            self.vacant = index;
        }
        (entry.deadline, value)
    }

    /// Uses up all but the last generation of the entry `key` names, which would take a test too
    /// long to do honestly, and returns the timer's new key.
    #[cfg(all(test, not(asupersync_seeded)))]
    pub(super) fn age(&mut self, key: Key) -> Key {
        let entry = &mut self.all[key.index as usize];
        assert_eq!(entry.generation, key.generation);
        entry.generation = NonZeroU32::MAX;
        Key { generation: NonZeroU32::MAX, ..key }
    }

    #[cfg(all(test, not(asupersync_seeded)))]
    pub(super) fn capacity(&self) -> usize {
        self.all.capacity()
    }
}
