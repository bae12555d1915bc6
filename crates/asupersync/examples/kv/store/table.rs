//! `Table`: a map from byte strings whose entries keep their place.
//!
//! ```text
//!   index  [ tag|slot | 0 | tag|slot | ... ]   open addressing, 8 bytes per place, power of two
//!               |                |
//!   slots  [ k v | k v | -- | k v ] [ ... ]    chunks of 1024; an entry never moves
//! ```
//!
//! The keyspace, hashes, sets and the member map of sorted sets are all tables. It exists beside
//! `std`'s map for three reasons: SCAN needs a place that can be named and resumed; iteration in
//! slot order makes a run repeatable whatever the seed; and growing copies only the 8-byte places,
//! never keys or values.
//!
//! Invariants: `table.pinned`: an entry stays in its slot until it is removed. `table.indexed`:
//! once there is an index, each entry has exactly one place in it, reachable from its home place
//! without an empty place between. `table.dense`: every slot below `slots` holds an entry or is in
//! `free`. A table of at most `LINEAR` slots has no index and is searched from the front.
//!
//! Growing past a power of two rebuilds the index in one step, about 10 ms per million entries.
//! What is not here: expiry and types of values.

use super::hash::Seed;

/// Slots searched without an index: two cache lines of keys compare faster than one hash.
const LINEAR: usize = 8;
/// Slots per chunk, a power of two.
const CHUNK: usize = 1024;
/// Places of the first index: room for twice `LINEAR`.
const SMALLEST_INDEX: usize = 32;

/// Names the place of an entry. It is good until that entry is removed.
pub(crate) type Slot = usize;

/// An entry, or a hole.
type Entry<V> = Option<(Box<[u8]>, V)>;

/// A map from byte strings to `V` with stable places and a fixed order of iteration.
#[derive(Debug)]
pub(crate) struct Table<V> {
    seed: Seed,
    /// `tag << 32 | slot + 1`; 0 is an empty place. Empty while the table is small.
    index: Vec<u64>,
    chunks: Vec<Vec<Entry<V>>>,
    free: Vec<u32>,
    slots: usize,
    len: usize,
}

impl<V> Table<V> {
    /// An empty table; it allocates with the first entry.
    pub(crate) fn new(seed: Seed) -> Self {
        Table { seed, index: Vec::new(), chunks: Vec::new(), free: Vec::new(), slots: 0, len: 0 }
    }

    /// The number of entries.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// One more than the highest slot in use.
    #[inline]
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// The slot of `key`.
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> Option<Slot> {
        if self.index.is_empty() {
            let chunk = self.chunks.first()?;
            return chunk.iter().position(|entry| entry.as_ref().is_some_and(|(k, _)| **k == *key));
        }
        let tag = self.tag(key);
        let mut place = self.home(tag);
        loop {
            let found = self.index[place];
            if found == 0 {
                return None;
            }
            if (found >> 32) as u32 == tag {
                let slot = slot_of(found);
                if self.entry(slot).is_some_and(|(k, _)| *k == *key) {
                    return Some(slot);
                }
            }
            place = (place + 1) & (self.index.len() - 1);
        }
    }

    /// The entry in `slot`, or none if that is a hole or beyond the end.
    #[inline]
    pub(crate) fn entry(&self, slot: Slot) -> Option<(&[u8], &V)> {
        let (key, value) = self.chunks.get(slot / CHUNK)?.get(slot % CHUNK)?.as_ref()?;
        Some((key, value))
    }

    /// The value in `slot`.
    ///
    /// # Panics
    /// When the slot is a hole: a `Slot` is used only while its entry exists.
    #[inline]
    pub(crate) fn at(&self, slot: Slot) -> &V {
        let Some((_, value)) = &self.chunks[slot / CHUNK][slot % CHUNK] else { gone() };
        value
    }

    /// The value in `slot`, to change it.
    ///
    /// # Panics
    /// As `at`.
    #[inline]
    pub(crate) fn at_mut(&mut self, slot: Slot) -> &mut V {
        let Some((_, value)) = &mut self.chunks[slot / CHUNK][slot % CHUNK] else { gone() };
        value
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&V> {
        self.find(key).map(|slot| self.at(slot))
    }

    /// Adds an entry for `key`, which must not have one. The lowest free slots are not preferred;
    /// the last one freed is, because it is in the cache.
    pub(crate) fn insert(&mut self, key: &[u8], value: V) -> Slot {
        debug_assert!(self.find(key).is_none(), "the key is in the table already");
        if (self.len + 1) * 8 > self.index.len() * 5 && !self.index.is_empty() {
            self.rebuild(self.len + 1);
        }
        let entry = Some((Box::from(key), value));
        let slot = match self.free.pop() {
            Some(slot) => {
                let slot = slot as usize;
                self.chunks[slot / CHUNK][slot % CHUNK] = entry;
                slot
            }
            None => self.push(entry),
        };
        self.len += 1;
        if !self.index.is_empty() {
            let tag = self.tag(key);
            self.place(tag, slot);
        } else if self.slots > LINEAR {
            self.index_all();
        }
        slot
    }

    /// Removes the entry in `slot`.
    ///
    /// # Panics
    /// As `at`.
    pub(crate) fn remove(&mut self, slot: Slot) -> (Box<[u8]>, V) {
        let Some((key, value)) = self.chunks[slot / CHUNK][slot % CHUNK].take() else { gone() };
        self.len -= 1;
        if !self.index.is_empty() {
            let tag = self.tag(&key);
            self.displace(tag, slot);
        }
        if self.len == 0 {
            // No entry is left whose place must be kept, so everything can be given back.
            *self = Table::new(self.seed);
        } else {
            self.free.push(slot as u32);
            if self.index.len() > SMALLEST_INDEX * 4 && self.len * 16 < self.index.len() {
                self.rebuild(self.len);
            }
        }
        (key, value)
    }

    /// All entries in the order of their slots, which is the order of insertion until an entry is
    /// removed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &V)> {
        self.chunks.iter().flatten().flatten().map(|(key, value)| (&**key, value))
    }

    fn push(&mut self, entry: Entry<V>) -> Slot {
        let slot = self.slots;
        assert!(slot < u32::MAX as usize, "a table holds fewer than 2^32 entries");
        if slot.is_multiple_of(CHUNK) {
            // The first chunk grows like any vector, so that small tables stay small.
            let room = if slot == 0 { 4 } else { CHUNK };
            self.chunks.push(Vec::with_capacity(room));
        }
        self.chunks[slot / CHUNK].push(entry);
        self.slots += 1;
        slot
    }

    #[inline]
    fn tag(&self, key: &[u8]) -> u32 {
        (self.seed.hash(key) >> 32) as u32
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        tag as usize & (self.index.len() - 1)
    }

    /// Writes `slot` into the first empty place from its home.
    fn place(&mut self, tag: u32, slot: Slot) {
        let mask = self.index.len() - 1;
        let mut place = self.home(tag);
        while self.index[place] != 0 {
            place = (place + 1) & mask;
        }
        self.index[place] = u64::from(tag) << 32 | (slot as u64 + 1);
    }

    /// Empties the place of `slot` and moves later places back so that no search stops early; this
    /// way a table that lives long gathers no tombstones.
    fn displace(&mut self, tag: u32, slot: Slot) {
        let mask = self.index.len() - 1;
        let mut hole = self.home(tag);
        while slot_of(self.index[hole]) != slot {
            hole = (hole + 1) & mask;
        }
        let mut next = hole;
        loop {
            next = (next + 1) & mask;
            let found = self.index[next];
            if found == 0 {
                break;
            }
            let home = self.home((found >> 32) as u32);
            // It may move back unless its home lies between the hole and itself.
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(hole) & mask {
                self.index[hole] = found;
                hole = next;
            }
        }
        self.index[hole] = 0;
    }

    /// Replaces the index by one for `len` entries, a third full at most, so that it is filled half
    /// again before the next time.
    fn rebuild(&mut self, len: usize) {
        let places = (len * 3).next_power_of_two().max(SMALLEST_INDEX);
        let old = std::mem::replace(&mut self.index, vec![0; places]);
        for found in old.into_iter().filter(|&found| found != 0) {
            self.place((found >> 32) as u32, slot_of(found));
        }
    }

    /// Makes the first index once a search from the front would take too long.
    fn index_all(&mut self) {
        self.index = vec![0; SMALLEST_INDEX];
        for slot in 0..self.slots {
            if let Some((key, _)) = self.entry(slot) {
                let tag = self.tag(key);
                self.place(tag, slot);
            }
        }
    }
}

/// The slot in a place of the index that is not empty.
#[inline]
fn slot_of(place: u64) -> Slot {
    (place as u32).wrapping_sub(1) as usize
}

#[cold]
fn gone() -> ! {
    panic!("the slot of a removed entry was used")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// A small generator for repeatable walks (xorshift64*).
    fn next(state: &mut u64) -> u64 {
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    #[test]
    fn a_random_walk_agrees_with_a_tree() {
        for seed in 1..20u64 {
            let mut random = seed;
            let mut table = Table::new(Seed::new(seed));
            let mut tree = BTreeMap::new();
            let keys = [6, 40, 3000][seed as usize % 3];
            for step in 0..6000u64 {
                // Phases that mostly add and phases that mostly remove, so that it shrinks too.
                let add = next(&mut random) % 8 < if step / 1500 % 2 == 0 { 6 } else { 2 };
                let key = format!("k{}", next(&mut random) % keys).into_bytes();
                match (table.find(&key), add) {
                    (Some(slot), true) => {
                        *table.at_mut(slot) = step;
                        tree.insert(key, step);
                    }
                    (None, true) => {
                        table.insert(&key, step);
                        tree.insert(key, step);
                    }
                    (Some(slot), false) => {
                        let (removed, value) = table.remove(slot);
                        assert_eq!(tree.remove(&*removed), Some(value));
                    }
                    (None, false) => assert!(!tree.contains_key(&key)),
                }
                assert_eq!(table.len(), tree.len());
            }
            let listed: BTreeMap<_, _> = table.iter().map(|(key, value)| (key.to_vec(), *value)).collect();
            assert_eq!(listed, tree);
            for (key, value) in &tree {
                assert_eq!(table.get(key), Some(value));
            }
        }
    }

    #[test]
    fn entries_keep_their_slots_while_others_come_and_go() {
        let mut table = Table::new(Seed::new(1));
        let pinned: Vec<(Vec<u8>, Slot)> = (0..50)
            .map(|i| (format!("pinned{i}").into_bytes(), i))
            .map(|(key, i)| (key.clone(), table.insert(&key, i)))
            .collect();
        for round in 0..3 {
            let passing: Vec<Slot> =
                (0..5000).map(|i| table.insert(format!("passing{round}-{i}").as_bytes(), i)).collect();
            for slot in passing {
                table.remove(slot);
            }
        }
        for (key, slot) in pinned {
            assert_eq!(table.find(&key), Some(slot));
        }
    }

    #[test]
    fn iteration_follows_insertion_and_freed_slots_are_used_again() {
        let mut table = Table::new(Seed::new(1));
        let names: Vec<String> = (0..2000).map(|i| format!("n{i}")).collect();
        for name in &names {
            table.insert(name.as_bytes(), ());
        }
        let listed: Vec<&[u8]> = table.iter().map(|(key, ())| key).collect();
        assert!(listed.iter().zip(&names).all(|(found, name)| *found == name.as_bytes()));
        let slots = table.slots();
        let slot = table.find(b"n7").expect("present");
        table.remove(slot);
        assert_eq!(table.insert(b"new", ()), slot);
        assert_eq!(table.slots(), slots);
    }
}
