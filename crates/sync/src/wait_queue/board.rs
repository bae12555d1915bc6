//! What waiters were told, in a byte for each: whoever was settled learns it here, without the queue's lock.
//!
//! A byte stays where it is for as long as the board, so that it can be read while the queue changes: a few lie in the
//! board itself, the others in blocks, each as long as all before it.
//!
//! Invariant `board.handed-back`: a place of the queue that was told is its waiter's until that has [taken](Board::take)
//! what it was told, or has left under the lock. Only then it's given to another one.
//!
//! Not here: who is told what, and when (the queue, under its lock).

use std::sync::OnceLock;

use super::{NONE, Settled};
use crate::sync::{Acquire, AtomicU8, AtomicU32, Relaxed, Release};

/// How many bytes lie in the board. A power of two; few in models, so that they come to the blocks.
const FEW: u32 = if cfg!(loom) { 1 } else { 8 };

/// Enough for all keys below 2^32: the block at `n` has `FEW << n` bytes.
const BLOCKS: usize = 32 - FEW.ilog2() as usize;

const NOTHING: u8 = 0;
const GRANTED: u8 = 1;
const TOLD: u8 = 2;
const TAKEN: u8 = 3;

type Block = OnceLock<Box<[AtomicU8]>>;

pub(super) struct Board {
    few: [AtomicU8; FEW as usize],
    /// Whose waiter was the last to take what it was told: a hint where to find a place that was handed back.
    last: AtomicU32,
    blocks: OnceLock<Box<[Block; BLOCKS]>>,
}

impl Board {
    pub(super) fn new() -> Self {
        let few = core::array::from_fn(|_| AtomicU8::new(NOTHING));
        Self { few, last: AtomicU32::new(NONE), blocks: OnceLock::new() }
    }

    /// Sees to it that there are bytes for all keys below `count`. Under the queue's lock.
    pub(super) fn reach(&self, count: u32) {
        let Some(last) = count.checked_sub(1).filter(|&last| last >= FEW) else { return };
        let blocks = self.blocks.get_or_init(|| Box::new([const { OnceLock::new() }; BLOCKS]));
        for (n, block) in blocks.iter().enumerate().take(block_of(last) + 1) {
            block.get_or_init(|| (0..(FEW as usize) << n).map(|_| AtomicU8::new(NOTHING)).collect());
        }
    }

    /// The waiter of a place has left without taking what it was told. Under the queue's lock.
    pub(super) fn clear(&self, key: u32) {
        self.byte(key).store(NOTHING, Relaxed);
    }

    /// Tells a waiter, who may take it from here on. Under the queue's lock.
    #[inline]
    pub(super) fn tell(&self, key: u32, settled: Settled) {
        let order = if types::seeded!("board.relaxed") { Relaxed } else { Release };
        let told = match settled {
            Settled::Granted => GRANTED,
            Settled::Told => TOLD,
        };
        self.byte(key).store(told, order);
    }

    /// What the waiter at `key` was told. If it was, the place is its no longer.
    #[inline]
    pub(super) fn take(&self, key: u32) -> Option<Settled> {
        let byte = self.byte(key);
        let settled = match byte.load(Acquire) {
            GRANTED => Settled::Granted,
            TOLD => Settled::Told,
            _ => return None,
        };
        byte.store(TAKEN, Release);
        self.last.store(key, Relaxed);
        Some(settled)
    }

    /// A key whose waiter may have taken what it was told a moment ago: `NONE`, or any.
    #[inline]
    pub(super) fn last_taken(&self) -> u32 {
        self.last.load(Relaxed)
    }

    /// Whether the waiter that was told at `key` has taken it.
    #[inline]
    pub(super) fn is_taken(&self, key: u32) -> bool {
        self.byte(key).load(Acquire) == TAKEN || types::seeded!("board.not-handed-back")
    }

    #[inline]
    fn byte(&self, key: u32) -> &AtomicU8 {
        match self.few.get(key as usize) {
            Some(byte) => byte,
            None => self.byte_of_block(key),
        }
    }

    fn byte_of_block(&self, key: u32) -> &AtomicU8 {
        let n = block_of(key);
        let block = self.blocks.get().and_then(|blocks| blocks[n].get());
        &block.expect("a key in use is within the board's reach")[key as usize - ((FEW as usize) << n)]
    }
}

/// In which block the byte of a key is that isn't in the board itself.
fn block_of(key: u32) -> usize {
    (key.ilog2() - FEW.ilog2()) as usize
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Board, FEW, Settled};

    #[test]
    fn every_key_has_a_byte_of_its_own() {
        let board = Board::new();
        let keys = 5 * FEW;
        board.reach(keys);
        for key in (0..keys).filter(|key| key % 3 == 0) {
            board.tell(key, if key % 2 == 0 { Settled::Granted } else { Settled::Told });
        }
        for key in 0..keys {
            let told = (key % 3 == 0).then_some(if key % 2 == 0 { Settled::Granted } else { Settled::Told });
            assert_eq!(board.take(key), told, "{key}");
            assert_eq!((board.take(key), board.is_taken(key)), (None, told.is_some()), "{key}");
        }
    }

    #[test]
    fn a_board_that_reaches_further_keeps_what_was_told() {
        let board = Board::new();
        for key in 0..4 * FEW {
            board.reach(key + 1);
            board.tell(key, Settled::Told);
        }
        assert!((0..4 * FEW).all(|key| board.take(key) == Some(Settled::Told)));
    }
}
