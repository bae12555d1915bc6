//! The keyspace: keys, their values, and when they expire.
//!
//! A `Store` is a plain value. It reads no clock: every access is told `now`, in milliseconds since
//! the Unix epoch (EXAT and PXAT compare with it), and a key whose deadline has come is removed by
//! the access that finds it. So that a key nobody asks for goes too, the server arms one timer for
//! `next_deadline` and calls `expire_due`.
//!
//! Invariants: `store.deadlines`: `deadlines` holds (deadline, slot) for exactly the keys that have
//! a deadline. `store.never_empty`: no key holds an empty collection. `store.weighed`: `weight` is
//! the sum over all keys of key, value and entry, changed together with them.
//!
//! SCAN's promise: a cursor is a slot of the table, and an entry keeps its slot until it is removed
//! (`table.pinned`). A full iteration visits each slot once, so a key that is there from its start
//! to its end is returned exactly once, whatever comes and goes meanwhile. A key added or removed
//! during the iteration may or may not be returned. If the keyspace becomes empty the slots start
//! anew, but then no key was there from start to end.
//!
//! What is not here: arguments, replies, the meaning of commands (`commands`).

#[path = "store/hash.rs"]
mod hash;
#[path = "store/strings.rs"]
mod strings;
#[path = "store/table.rs"]
mod table;
#[cfg(test)]
#[path = "store/tests.rs"]
mod tests;
#[path = "store/value.rs"]
mod value;
#[path = "store/zset.rs"]
mod zset;

use hash::Seed;
use std::collections::BTreeSet;
use table::{Slot, Table};

pub(crate) use strings::{Expiry, IncrementError};
pub(crate) use value::{End, Hash, Kind, List, Set, Text, Value};
pub(crate) use zset::{LexBound, ScoreBound, SortedSet};

/// The deadline of a key that has none.
const NEVER: u64 = u64::MAX;
/// Estimated bytes of an entry of the keyspace besides key and value.
const ENTRY: usize = 64 + 32;
/// Estimated bytes of a deadline in the tree.
const DEADLINE: usize = 32;

/// The key holds another kind of value than the command works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongType;

/// What the store has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    /// Commands executed, refused ones too.
    pub(crate) commands: u64,
    /// Reading commands that found their key.
    pub(crate) hits: u64,
    /// Reading commands that did not.
    pub(crate) misses: u64,
    /// Keys removed because their deadline came.
    pub(crate) expired: u64,
}

/// A value with its deadline.
#[derive(Debug)]
struct Item {
    value: Value,
    /// `NEVER`, or when it ends.
    deadline: u64,
}

/// When a key that exists expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// It doesn't.
    Never,
    /// At this time in milliseconds.
    At(u64),
}

/// The keyspace. See the head of the file.
#[derive(Debug)]
pub(crate) struct Store {
    seed: Seed,
    table: Table<Item>,
    deadlines: BTreeSet<(u64, Slot)>,
    weight: usize,
    /// Counters for INFO.
    pub(crate) stats: Stats,
}

impl Store {
    /// An empty keyspace. The seed makes its hash function unpredictable: random in a server, fixed
    /// in a test.
    pub(crate) fn new(seed: u64) -> Self {
        let seed = Seed::new(seed);
        Store {
            seed,
            table: Table::new(seed),
            deadlines: BTreeSet::new(),
            weight: 0,
            stats: Stats::default(),
        }
    }

    /// The number of keys, those expired but not yet removed included.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The number of keys with a deadline.
    pub(crate) fn expiring(&self) -> usize {
        self.deadlines.len()
    }

    /// The estimated bytes of keys, values and their tables.
    pub(crate) fn used_memory(&self) -> usize {
        self.weight
    }

    /// When the next key expires; the server arms its timer for it.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    /// Removes up to `limit` keys whose deadline has come and returns how many it removed. If it is
    /// `limit`, there may be more: serve others, then call again.
    pub(crate) fn expire_due(&mut self, now: u64, limit: usize) -> usize {
        let mut removed = 0;
        while removed < limit
            && let Some(&(deadline, slot)) = self.deadlines.first()
            && deadline <= now
        {
            self.remove_slot(slot);
            self.stats.expired += 1;
            removed += 1;
        }
        removed
    }

    /// The slot of a key that is alive.
    #[inline]
    fn locate(&mut self, key: &[u8], now: u64) -> Option<Slot> {
        let slot = self.table.find(key)?;
        if self.table.at(slot).deadline <= now {
            self.remove_slot(slot);
            self.stats.expired += 1;
            return None;
        }
        Some(slot)
    }

    /// Whether the key is there, without counting a hit or miss.
    #[inline]
    pub(crate) fn exists(&mut self, key: &[u8], now: u64) -> bool {
        self.locate(key, now).is_some()
    }

    /// The value of a key, without counting a hit or miss.
    pub(crate) fn peek(&mut self, key: &[u8], now: u64) -> Option<&Value> {
        self.locate(key, now).map(|slot| &self.table.at(slot).value)
    }

    /// The value of a key for a command that reads, counted as hit or miss.
    #[inline]
    pub(crate) fn read(&mut self, key: &[u8], now: u64) -> Option<&Value> {
        match self.locate(key, now) {
            Some(slot) => {
                self.stats.hits += 1;
                Some(&self.table.at(slot).value)
            }
            None => {
                self.stats.misses += 1;
                None
            }
        }
    }

    /// As `read`, for one kind of value.
    ///
    /// # Errors
    /// `WrongType` when the key holds another kind.
    pub(crate) fn read_kind<K: Kind>(&mut self, key: &[u8], now: u64) -> Result<Option<&K>, WrongType> {
        self.read(key, now).map(|value| K::of(value).ok_or(WrongType)).transpose()
    }

    /// Changes the collection of a key that exists; a collection left empty is removed.
    ///
    /// # Errors
    /// `WrongType` when the key holds another kind; nothing is changed.
    pub(crate) fn modify<K: Kind, R>(
        &mut self,
        key: &[u8],
        now: u64,
        change: impl FnOnce(&mut K) -> R,
    ) -> Result<Option<R>, WrongType> {
        let Some(slot) = self.locate(key, now) else { return Ok(None) };
        self.change(slot, change).map(Some)
    }

    /// As `modify`, after making an empty collection if the key doesn't exist.
    ///
    /// # Errors
    /// As `modify`.
    pub(crate) fn upsert<K: Kind, R>(
        &mut self,
        key: &[u8],
        now: u64,
        change: impl FnOnce(&mut K) -> R,
    ) -> Result<R, WrongType> {
        let slot = match self.locate(key, now) {
            Some(slot) => slot,
            None => self.add(key, K::create(self.seed), NEVER),
        };
        self.change(slot, change)
    }

    fn change<K: Kind, R>(&mut self, slot: Slot, change: impl FnOnce(&mut K) -> R) -> Result<R, WrongType> {
        let value = &mut self.table.at_mut(slot).value;
        let before = value.weight();
        let kind = K::of_mut(value).ok_or(WrongType)?;
        let result = change(kind);
        let empty = kind.is_empty();
        self.weight = self.weight - before + value.weight();
        if empty {
            self.remove_slot(slot);
        }
        Ok(result)
    }

    /// Removes a key; whether it was there.
    pub(crate) fn remove(&mut self, key: &[u8], now: u64) -> bool {
        let Some(slot) = self.locate(key, now) else { return false };
        self.remove_slot(slot);
        true
    }

    /// Removes every key.
    pub(crate) fn clear(&mut self) {
        self.table = Table::new(self.seed);
        self.deadlines = BTreeSet::new();
        self.weight = 0;
    }

    /// When a key expires; none if there is no such key.
    pub(crate) fn deadline(&mut self, key: &[u8], now: u64) -> Option<Deadline> {
        let slot = self.locate(key, now)?;
        Some(match self.table.at(slot).deadline {
            NEVER => Deadline::Never,
            at => Deadline::At(at),
        })
    }

    /// Sets when a key expires; a time that has come removes it. Whether there was such a key.
    pub(crate) fn set_deadline(&mut self, key: &[u8], deadline: Deadline, now: u64) -> bool {
        let Some(slot) = self.locate(key, now) else { return false };
        match deadline {
            Deadline::At(at) if at <= now => self.remove_slot(slot),
            Deadline::At(at) => self.reschedule(slot, at),
            Deadline::Never => self.reschedule(slot, NEVER),
        }
        true
    }

    /// All keys that are alive, with their values, in slot order.
    pub(crate) fn iter(&self, now: u64) -> impl Iterator<Item = (&[u8], &Value)> {
        self.table.iter().filter(move |(_, item)| item.deadline > now).map(|(key, item)| (key, &item.value))
    }

    /// One step of SCAN: gives `visit` the live keys from `cursor` on, until `count` were visited
    /// or ten times as many slots were seen, and returns the next cursor, 0 at the end.
    pub(crate) fn scan(
        &self,
        cursor: u64,
        count: usize,
        now: u64,
        mut visit: impl FnMut(&[u8], &Value),
    ) -> u64 {
        let end = self.table.slots();
        let start = usize::try_from(cursor).unwrap_or(end).min(end);
        let stop = start.saturating_add(count.saturating_mul(10)).min(end);
        let mut left = count;
        for slot in start..stop {
            if let Some((key, item)) = self.table.entry(slot)
                && item.deadline > now
            {
                visit(key, &item.value);
                left -= 1;
                if left == 0 {
                    return if slot + 1 == end { 0 } else { slot as u64 + 1 };
                }
            }
        }
        if stop == end { 0 } else { stop as u64 }
    }

    /// Adds a key that isn't there.
    fn add(&mut self, key: &[u8], value: Value, deadline: u64) -> Slot {
        self.weight += key.len() + value.weight() + ENTRY;
        let slot = self.table.insert(key, Item { value, deadline: NEVER });
        self.reschedule(slot, deadline);
        slot
    }

    /// Changes the deadline of a key (`store.deadlines`).
    #[inline]
    fn reschedule(&mut self, slot: Slot, deadline: u64) {
        let item = self.table.at_mut(slot);
        let old = std::mem::replace(&mut item.deadline, deadline);
        if old == deadline {
            return;
        }
        if old != NEVER {
            self.deadlines.remove(&(old, slot));
            self.weight -= DEADLINE;
        }
        if deadline != NEVER {
            self.deadlines.insert((deadline, slot));
            self.weight += DEADLINE;
        }
    }

    fn remove_slot(&mut self, slot: Slot) {
        self.reschedule(slot, NEVER);
        let (key, item) = self.table.remove(slot);
        self.weight -= key.len() + item.value.weight() + ENTRY;
    }
}
