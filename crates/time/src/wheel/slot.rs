//! One slot of the wheel: the timers of one span of ticks, in the order they were inserted.
//!
//! A slot is a dense vector of entry numbers, so that pushing touches no neighbour (a linked list
//! would) and firing is a sequential scan whose memory accesses do not depend on each other.
//!
//! Removal must be O(1) and must not disturb the order, which `swap_remove` would. So it leaves a
//! *hole*, four bytes that name no entry; the entry itself is free at once. Holes are squeezed out
//! when a push would otherwise have to grow a vector that is at least half holes. Every squeeze is
//! thus paid for by the removals before it, and moves at most one item for each of them.
//!
//! Invariants:
//! - `slot.live`: `live` counts the items that are not holes; a slot with `live == 0` has no items.
//! - `slot.head`: everything before `head` is a hole, left behind by a drain that stopped half way.
//! - `slot.order`: live items stand in insertion order.
//! - `slot.position`: a live item's entry knows its index in `items`. The wheel stores it; this
//!   file reports every move.
//!
//! Not here: which ticks a slot stands for ([`super`]) and what an entry holds
//! ([`super::entries`]).

use alloc::vec::Vec;
use core::mem;

/// An item whose timer was removed. No entry has this number (see [`super::entries`]).
const HOLE: u32 = u32::MAX;

/// A drained slot gives back a vector larger than this many items (1 KiB).
///
/// Without the limit a burst that wanders round the wheel would leave its peak capacity in every
/// slot it visits. With it a level retains at most 256 KiB, and a larger slot allocates about ten
/// times for the hundreds of timers that pass through it.
const RETAINED_ITEMS: usize = 256;

#[derive(Default)]
pub(super) struct Slot {
    items: Vec<u32>,
    live: u32,
    head: u32,
}

impl Slot {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The number of items a scan would visit, holes included.
    pub(super) fn scan_length(&self) -> usize {
        self.items.len() - self.head as usize
    }

    /// The entries of the slot, in insertion order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.items[self.head as usize..].iter().copied().filter(|&item| item != HOLE)
    }

    /// Appends `entry` and returns its position. Older items may move to make room; `moved(entry,
    /// position)` is called for each that does.
    #[inline]
    pub(super) fn push(&mut self, entry: u32, moved: impl FnMut(u32, u32)) -> u32 {
        debug_assert_ne!(entry, HOLE);
        if self.items.len() == self.items.capacity() {
            self.make_room(moved);
        }
        let position = self.items.len() as u32;
        self.items.push(entry);
        self.live += 1;
        position
    }

    /// Takes the item at `position` out. The caller vouches that it is `entry`, so an item that is
    /// not is a bug of ours (`slot.position`).
    #[inline]
    pub(super) fn remove(&mut self, position: u32, entry: u32) {
        let position = position as usize;
        assert_eq!(self.items[position], entry, "a timer's entry disagrees with its slot");
        if self.live == 1 {
            self.reset();
            return;
        }
        self.live -= 1;
        if position + 1 == self.items.len() {
            self.items.pop();
        } else {
            self.items[position] = HOLE;
        }
    }

    /// Takes the oldest item out.
    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<u32> {
        if types::seeded!("time.newest_first") {
            let newest = self.items.iter().rposition(|&item| item != HOLE)?;
            let entry = self.items[newest];
            self.remove(newest as u32, entry);
            return Some(entry);
        }
        while let Some(item) = self.items.get_mut(self.head as usize) {
            let entry = mem::replace(item, HOLE);
            self.head += 1;
            if entry != HOLE {
                if self.live == 1 {
                    self.reset();
                } else {
                    self.live -= 1;
                }
                return Some(entry);
            }
        }
        None
    }

    /// Empties the slot, keeping a vector of moderate size for the next round.
    fn reset(&mut self) {
        self.live = 0;
        self.head = 0;
        if self.items.capacity() > RETAINED_ITEMS {
            self.items = Vec::new();
        } else {
            self.items.clear();
        }
    }

    /// Called when the vector is full: squeezes the holes out if they are at least half of it, and
    /// otherwise leaves it to the push to grow it.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self, mut moved: impl FnMut(u32, u32)) {
        if self.live as usize > self.items.len() / 2 {
            return;
        }
        let mut kept = 0;
        for position in self.head as usize..self.items.len() {
            let entry = self.items[position];
            if entry != HOLE {
                self.items[kept] = entry;
                if kept != position && !types::seeded!("time.stale_position") {
                    moved(entry, kept as u32);
                }
                kept += 1;
            }
        }
        self.items.truncate(kept);
        self.head = 0;
        debug_assert_eq!(kept, self.live as usize);
    }

    /// The live items with their positions, after a check of `slot.live` and `slot.head`.
    #[cfg(test)]
    pub(super) fn checked(&self) -> impl Iterator<Item = (u32, u32)> {
        let (left, live) = self.items.split_at(self.head as usize);
        assert!(left.iter().all(|&item| item == HOLE), "slot.head");
        assert_eq!(live.iter().filter(|&&item| item != HOLE).count(), self.live as usize, "slot.live");
        assert!(self.live > 0 || self.items.is_empty(), "slot.live");
        (0u32..).zip(&self.items).filter(|&(_, &item)| item != HOLE).map(|(position, &item)| (position, item))
    }

    #[cfg(all(test, not(asupersync_seeded)))]
    pub(super) fn capacity(&self) -> usize {
        self.items.capacity()
    }
}
