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

/// With a value of one word, two fill a cache line, and none lies in two.
#[repr(align(32))]
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
    /// The generation after this one; `None` if this was the last (`entries.fresh`).
    #[inline]
    fn next_generation(&self) -> Option<NonZeroU32> {
        if types::seeded!("time.stale_key") { Some(self.generation) } else { self.generation.checked_add(1) }
    }

    /// Looks at the entry, so that its cache line is there.
    #[inline]
    pub(super) fn touch(&self) -> u32 {
        self.slot
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

    /// The number of the entry that the next [`insert`](Self::insert) fills.
    #[inline]
    pub(super) fn next(&self) -> u32 {
        if self.vacant != END { self.vacant } else { self.end() }
    }

    #[cold]
    fn end(&self) -> u32 {
        let end = u32::try_from(self.all.len()).ok().filter(|&end| end != END);
        end.expect("a timer wheel holds fewer than 2^32 - 1 timers")
    }

    /// Stores a timer with its value in the entry that is [`next`](Self::next), whose generation stays.
    #[inline]
    pub(super) fn insert(&mut self, deadline: Time, slot: u32, position: u32, value: T) -> Key {
        let index = self.vacant;
        self.live += 1;
        let Some(entry) = self.all.get_mut(index as usize) else {
            return self.grow(deadline, slot, position, value);
        };
        debug_assert!(entry.value.is_none());
        self.vacant = entry.position;
        entry.deadline = deadline;
        entry.slot = slot;
        entry.position = position;
        entry.value = Some(value);
        Key { index, generation: entry.generation }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, deadline: Time, slot: u32, position: u32, value: T) -> Key {
        let key = Key { index: self.end(), generation: NonZeroU32::MIN };
        self.all.push(Entry { deadline, slot, position, generation: key.generation, value: Some(value) });
        key
    }

    /// Takes out the timer that `key` names and frees its entry, once `unlink` has been told its slot and position.
    /// `None` if the key is stale.
    #[inline]
    pub(super) fn remove(&mut self, key: Key, unlink: impl FnOnce(u32, u32)) -> Option<T> {
        let entry = self.all.get_mut(key.index as usize).filter(|e| e.generation == key.generation)?;
        let value = entry.value.take()?;
        unlink(entry.slot, entry.position);
        self.live -= 1;
        if let Some(next) = entry.next_generation() {
            entry.generation = next;
            entry.position = self.vacant;
            self.vacant = key.index;
        }
        Some(value)
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
        if let Some(next) = entry.next_generation() {
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
