//! What a key can hold, and what it weighs.
//!
//! Invariants: `value.integer`: a string that is the decimal spelling of an `i64` is kept as that
//! number only when a command stored it so; `Text` hides the difference. `value.weight`: each
//! collection keeps the sum of its parts' weights as they change, so a weight is known in O(1).
//! `value.never_empty`: a key of the keyspace never holds an empty collection; the store removes it.

use super::super::resp::number::{Digits, format_i64, parse_i64};
use super::hash::Seed;
use super::table::Table;
use super::zset::SortedSet;
use std::collections::VecDeque;

/// Estimated bytes of an allocation's header and rounding, and of the two words that name it.
const ALLOCATION: usize = 32;
/// Estimated bytes a table needs for an entry besides key and value.
pub(super) const TABLE_ENTRY: usize = ALLOCATION + 24;

/// The value of a key.
#[derive(Debug)]
pub(crate) enum Value {
    /// A string kept as the number it spells.
    Integer(i64),
    /// Any other string.
    Bytes(Vec<u8>),
    /// A list.
    List(Box<List>),
    /// A hash.
    Hash(Box<Hash>),
    /// A set.
    Set(Box<Set>),
    /// A sorted set.
    Sorted(Box<SortedSet>),
}

impl Value {
    /// A string value, as a number if it spells one.
    #[inline]
    pub(super) fn from_bytes(bytes: &[u8]) -> Value {
        match parse_i64(bytes) {
            Some(number) => Value::Integer(number),
            None => Value::Bytes(bytes.to_vec()),
        }
    }

    /// Makes this a string value, using its allocation again where that wastes little.
    #[inline]
    pub(super) fn assign(&mut self, bytes: &[u8]) {
        match (parse_i64(bytes), &mut *self) {
            (Some(number), _) => *self = Value::Integer(number),
            (None, Value::Bytes(old)) if bytes.len() >= old.capacity() / 2 => {
                old.clear();
                old.extend_from_slice(bytes);
            }
            _ => *self = Value::Bytes(bytes.to_vec()),
        }
    }

    /// The estimated bytes on the heap.
    #[inline]
    pub(super) fn weight(&self) -> usize {
        match self {
            Value::Integer(_) => 0,
            Value::Bytes(bytes) => bytes.capacity(),
            Value::List(list) => list.weight,
            Value::Hash(hash) => hash.weight,
            Value::Set(set) => set.weight,
            Value::Sorted(sorted) => sorted.weight(),
        }
    }

    /// The type as TYPE and SCAN name it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Integer(_) | Value::Bytes(_) => "string",
            Value::List(_) => "list",
            Value::Hash(_) => "hash",
            Value::Set(_) => "set",
            Value::Sorted(_) => "zset",
        }
    }

    /// The string, if it is one.
    #[inline]
    pub(crate) fn text(&self) -> Option<Text<'_>> {
        match self {
            Value::Integer(number) => Some(Text::Integer(*number)),
            Value::Bytes(bytes) => Some(Text::Bytes(bytes)),
            _ => None,
        }
    }
}

/// A string value, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'a> {
    /// The decimal spelling of a number.
    Integer(i64),
    /// These bytes.
    Bytes(&'a [u8]),
}

impl Text<'_> {
    /// The number of bytes.
    pub(crate) fn len(self) -> usize {
        match self {
            Text::Integer(number) => format_i64(number, &mut Digits::default()).len(),
            Text::Bytes(bytes) => bytes.len(),
        }
    }
}

/// A type of value that can be looked for and created by its commands.
pub(crate) trait Kind: Sized {
    /// This kind's view of a value; none if the value is of another kind.
    fn of(value: &Value) -> Option<&Self>;
    /// As `of`, to change it.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    /// A new, empty value.
    fn create(seed: Seed) -> Value;
    /// Whether nothing is left in it.
    fn is_empty(&self) -> bool;
}

macro_rules! kind {
    ($kind:ty, $variant:ident, |$seed:ident| $new:expr) => {
        impl Kind for $kind {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$variant(found) = value { Some(found) } else { None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$variant(found) = value { Some(found) } else { None }
            }
            fn create($seed: Seed) -> Value {
                Value::$variant(Box::new($new))
            }
            fn is_empty(&self) -> bool {
                self.len() == 0
            }
        }
    };
}

kind!(List, List, |_seed| List { items: VecDeque::new(), weight: 0 });
kind!(Hash, Hash, |seed| Hash { fields: Table::new(seed), weight: 0 });
kind!(Set, Set, |seed| Set { members: Table::new(seed), weight: 0 });
kind!(SortedSet, Sorted, |seed| SortedSet::new(seed));

/// Which end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The head.
    Left,
    /// The tail.
    Right,
}

/// A list of byte strings, O(1) at both ends and by index.
#[derive(Debug)]
pub(crate) struct List {
    items: VecDeque<Box<[u8]>>,
    weight: usize,
}

impl List {
    /// The number of elements.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds an element at one end.
    #[inline]
    pub(crate) fn push(&mut self, end: End, item: &[u8]) {
        self.weight += item.len() + ALLOCATION;
        match end {
            End::Left => self.items.push_front(Box::from(item)),
            End::Right => self.items.push_back(Box::from(item)),
        }
    }

    /// Takes the element at one end.
    #[inline]
    pub(crate) fn pop(&mut self, end: End) -> Option<Box<[u8]>> {
        let item = match end {
            End::Left => self.items.pop_front(),
            End::Right => self.items.pop_back(),
        }?;
        self.weight -= item.len() + ALLOCATION;
        if self.items.len() * 4 < self.items.capacity() && self.items.capacity() > 64 {
            self.items.shrink_to(self.items.len() * 2);
        }
        Some(item)
    }

    /// The elements `range`, which must lie inside the list.
    pub(crate) fn range(&self, range: std::ops::Range<usize>) -> impl ExactSizeIterator<Item = &[u8]> {
        self.items.range(range).map(|item| &**item)
    }
}

/// A map from fields to values, both byte strings.
#[derive(Debug)]
pub(crate) struct Hash {
    fields: Table<Box<[u8]>>,
    weight: usize,
}

impl Hash {
    /// The number of fields.
    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Sets a field; whether it is new.
    pub(crate) fn set(&mut self, field: &[u8], value: &[u8]) -> bool {
        if let Some(slot) = self.fields.find(field) {
            let old = self.fields.at_mut(slot);
            self.weight = self.weight - old.len() + value.len();
            if old.len() == value.len() {
                old.copy_from_slice(value);
            } else {
                *old = Box::from(value);
            }
            return false;
        }
        self.weight += field.len() + value.len() + TABLE_ENTRY + ALLOCATION;
        self.fields.insert(field, Box::from(value));
        true
    }

    /// The value of a field.
    pub(crate) fn get(&self, field: &[u8]) -> Option<&[u8]> {
        self.fields.get(field).map(|value| &**value)
    }

    /// Removes a field; whether it was there.
    pub(crate) fn remove(&mut self, field: &[u8]) -> bool {
        let Some(slot) = self.fields.find(field) else { return false };
        let (field, value) = self.fields.remove(slot);
        self.weight -= field.len() + value.len() + TABLE_ENTRY + ALLOCATION;
        true
    }

    /// All fields with their values, in the order of insertion until one is removed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|(field, value)| (field, &**value))
    }
}

/// A set of byte strings.
#[derive(Debug)]
pub(crate) struct Set {
    members: Table<()>,
    weight: usize,
}

impl Set {
    /// The number of members.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    /// Adds a member; whether it is new.
    pub(crate) fn add(&mut self, member: &[u8]) -> bool {
        if self.members.find(member).is_some() {
            return false;
        }
        self.weight += member.len() + TABLE_ENTRY;
        self.members.insert(member, ());
        true
    }

    /// Removes a member; whether it was there.
    pub(crate) fn remove(&mut self, member: &[u8]) -> bool {
        let Some(slot) = self.members.find(member) else { return false };
        self.members.remove(slot);
        self.weight -= member.len() + TABLE_ENTRY;
        true
    }

    /// Whether it has this member.
    pub(crate) fn contains(&self, member: &[u8]) -> bool {
        self.members.find(member).is_some()
    }

    /// All members, in the order of insertion until one is removed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.members.iter().map(|(member, ())| member)
    }
}
