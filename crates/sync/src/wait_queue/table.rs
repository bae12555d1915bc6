//! The places of a queue: a table of entries with stable keys, which are used again.
//!
//! Free places form a stack, so a queue with few waiters at a time stays in few lines of memory. A place whose waiter was
//! told lies about until that has taken it from the [board](super::board), which it does without the lock. Who waits again and
//! again mostly finds the place it has just handed back; the other such places are collected when none is free. When that brings in less than a quarter of the table, the table doubles; so a collection
//! pays for the look at all places with a quarter as many waits at least.
//!
//! Not here: order (the queue's lists).

use super::{NONE, Settled, board::Board};

/// How many places a table begins with, at its first waiter. One in models, so that they come to collecting.
const FIRST: u32 = if cfg!(loom) { 1 } else { 4 };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Free,
    /// Linked in the list of those who wait.
    Waiting,
    /// Linked in the list of those to be woken: settled, its waiter not taken out yet.
    Waking(Settled),
    /// Linked nowhere: settled, told, its wake done or on its way.
    Told(Settled),
}

pub(super) struct Entry<W> {
    pub(super) previous: u32,
    /// Of a free place, the next free one.
    pub(super) next: u32,
    /// Belongs to the structure: permits wanted by a semaphore's waiter, times passed over for a lock's.
    pub(super) weight: usize,
    pub(super) waiter: Option<W>,
    pub(super) stage: Stage,
}

pub(super) struct Table<W> {
    places: Vec<Entry<W>>,
    free: u32,
}

impl<W> Table<W> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: NONE }
    }

    /// A place for one that waits, unlinked. Allocates only when more places are in use than ever before.
    ///
    /// # Panics
    /// With 2^31 places in use.
    #[inline]
    pub(super) fn insert(&mut self, board: &Board, waiter: Option<W>, weight: usize) -> u32 {
        let key = self.vacant(board);
        let entry = &mut self.places[key as usize];
        (entry.waiter, entry.weight, entry.stage) = (waiter, weight, Stage::Waiting);
        key
    }

    /// A place that is nobody's and linked nowhere: one that was just handed back, or a free one.
    #[inline]
    fn vacant(&mut self, board: &Board) -> u32 {
        let key = board.last_taken();
        if let Some(entry) = self.places.get(key as usize)
            && matches!(entry.stage, Stage::Told(_))
            && board.is_taken(key)
        {
            return key;
        }
        if self.free == NONE {
            self.make_room(board);
        }
        let key = self.free;
        let entry = &mut self.places[key as usize];
        debug_assert_eq!(entry.stage, Stage::Free, "a place in the free list is free");
        self.free = entry.next;
        key
    }

    /// Frees a place that is linked nowhere; its waiter, to be dropped after the lock.
    pub(super) fn remove(&mut self, key: u32) -> Option<W> {
        let free = self.free;
        let entry = &mut self[key];
        entry.stage = Stage::Free;
        entry.next = free;
        let waiter = entry.waiter.take();
        self.free = key;
        waiter
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, board: &Board) {
        let count = self.places.len() as u32;
        let mut collected = 0;
        for key in 0..count {
            if matches!(self[key].stage, Stage::Told(_)) && board.is_taken(key) {
                // Its waiter was taken out when it was told.
                self.remove(key);
                collected += 1;
            }
        }
        if collected < count.div_ceil(4).max(1) {
            let more = count.checked_mul(2).expect("fewer than 2^31 waiters").max(FIRST);
            board.reach(more);
            for key in count..more {
                let next = self.free;
                self.places.push(Entry { previous: NONE, next, weight: 0, waiter: None, stage: Stage::Free });
                self.free = key;
            }
        }
    }
}

impl<W> core::ops::Index<u32> for Table<W> {
    type Output = Entry<W>;
    #[inline]
    fn index(&self, key: u32) -> &Entry<W> {
        &self.places[key as usize]
    }
}

impl<W> core::ops::IndexMut<u32> for Table<W> {
    #[inline]
    fn index_mut(&mut self, key: u32) -> &mut Entry<W> {
        &mut self.places[key as usize]
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{Board, Settled, Stage, Table};

    /// Tells who is at `key`, and returns it.
    fn told(table: &mut Table<()>, board: &Board, key: u32) -> u32 {
        table[key].stage = Stage::Told(Settled::Told);
        board.tell(key, Settled::Told);
        key
    }

    #[test]
    fn removed_places_are_used_again_and_other_keys_stay_good() {
        let (mut table, board) = (Table::new(), Board::new());
        let keys = [1, 2, 3].map(|weight| table.insert(&board, Some(weight), weight));
        assert_eq!(table.remove(keys[1]), Some(2));
        assert_eq!(table.insert(&board, Some(4), 4), keys[1]);
        assert_eq!(keys.map(|key| table[key].weight), [1, 4, 3]);
    }

    #[test]
    fn a_place_is_not_used_again_before_its_waiter_has_taken_what_it_was_told() {
        let (mut table, board) = (Table::new(), Board::new());
        let slow = table.insert(&board, None, 0);
        told(&mut table, &board, slow);
        for _ in 0..1000 {
            let key = table.insert(&board, None, 0);
            assert_ne!(key, slow);
            told(&mut table, &board, key);
            assert_eq!(board.take(key), Some(Settled::Told));
        }
        assert_eq!(board.take(slow), Some(Settled::Told));
        assert!(table.places.len() <= 8, "places of the others were used again");
    }

    #[test]
    fn a_table_is_no_longer_than_four_times_its_crowd() {
        let (mut table, board) = (Table::new(), Board::new());
        for _ in 0..100 {
            let keys: Vec<u32> = (0..50).map(|_| table.insert(&board, None, 0)).collect();
            for key in keys {
                told(&mut table, &board, key);
                board.take(key);
            }
        }
        assert!(table.places.len() <= 200, "{}", table.places.len());
    }
}
