//! Which slots of the wheel hold timers: one bit for each slot and one for each level.
//!
//! Invariant `occupancy.summary`: a level's bit in `levels` is set exactly if one of its slots' is.
//!
//! Not here: what is in the slots, and which of them are still ahead ([`super`]: all of them).

use super::{LEVELS, SLOTS};

const WORDS: usize = SLOTS / 64;

pub(super) struct Occupancy {
    slots: [[u64; WORDS]; LEVELS],
    levels: u8,
}

impl Occupancy {
    pub(super) const fn new() -> Self {
        const { assert!(LEVELS <= 8, "a bit of a byte for each level") };
        Occupancy { slots: [[0; WORDS]; LEVELS], levels: 0 }
    }

    #[inline]
    pub(super) fn set(&mut self, number: usize) {
        let level = number / SLOTS;
        self.slots[level][number % SLOTS / 64] |= 1 << (number % 64);
        self.levels |= 1 << level;
    }

    #[inline]
    pub(super) fn clear(&mut self, number: usize) {
        let level = number / SLOTS;
        let words = &mut self.slots[level];
        words[number % SLOTS / 64] &= !(1 << (number % 64));
        if *words == [0; WORDS] {
            self.levels &= !(1 << level);
        }
    }

    /// The first occupied slot of the lowest occupied level.
    #[inline]
    pub(super) fn first(&self) -> Option<usize> {
        if self.levels == 0 {
            return None;
        }
        let level = self.levels.trailing_zeros() as usize;
        let word = self.slots[level].iter().position(|&word| word != 0)?;
        let bit = self.slots[level][word].trailing_zeros() as usize;
        Some(level * SLOTS + word * 64 + bit)
    }
}
