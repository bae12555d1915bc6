//! The store's operations on strings: set, increment, append.
//!
//! They are apart from the collections because a string changes without leaving its slot and, on
//! the paths that matter, without an allocation: an integer is counted up in place, and setting a
//! key again uses the bytes it has.

use super::super::resp::number::{Digits, format_i64, parse_i64};
use super::{NEVER, Store, Value, WrongType};

/// What setting a string does to the key's deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// Removes it.
    Clear,
    /// Leaves it.
    Keep,
    /// Sets it to this time in milliseconds.
    At(u64),
}

/// Why a number was not increased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IncrementError {
    /// The key holds no string.
    WrongType,
    /// The string is not a number.
    NotInteger,
    /// The sum does not fit 64 bits.
    Overflow,
}

impl Store {
    /// Sets a key to a string, whatever it held. A deadline that has come removes the key.
    #[inline]
    pub(crate) fn set(&mut self, key: &[u8], bytes: &[u8], expiry: Expiry, now: u64) {
        if let Expiry::At(at) = expiry
            && at <= now
        {
            self.remove(key, now);
            return;
        }
        match self.locate(key, now) {
            Some(slot) => {
                let item = self.table.at_mut(slot);
                let before = item.value.weight();
                item.value.assign(bytes);
                self.weight = self.weight - before + item.value.weight();
                match expiry {
                    Expiry::Keep => {}
                    Expiry::Clear => self.reschedule(slot, NEVER),
                    Expiry::At(at) => self.reschedule(slot, at),
                }
            }
            None => {
                let deadline = if let Expiry::At(at) = expiry { at } else { NEVER };
                self.add(key, Value::from_bytes(bytes), deadline);
            }
        }
    }

    /// Adds to the number a key holds, 0 if it isn't there, and returns the sum.
    ///
    /// # Errors
    /// `IncrementError`; nothing is changed.
    #[inline]
    pub(crate) fn increment(&mut self, key: &[u8], by: i64, now: u64) -> Result<i64, IncrementError> {
        let Some(slot) = self.locate(key, now) else {
            self.add(key, Value::Integer(by), NEVER);
            return Ok(by);
        };
        let value = &mut self.table.at_mut(slot).value;
        let before = value.weight();
        let old = match value {
            Value::Integer(number) => *number,
            Value::Bytes(bytes) => parse_i64(bytes).ok_or(IncrementError::NotInteger)?,
            _ => return Err(IncrementError::WrongType),
        };
        let sum = old.checked_add(by).ok_or(IncrementError::Overflow)?;
        *value = Value::Integer(sum);
        self.weight -= before;
        Ok(sum)
    }

    /// Appends to the string a key holds, the empty one if it isn't there, and returns its length.
    ///
    /// # Errors
    /// `WrongType` when the key holds no string; nothing is changed.
    pub(crate) fn append(&mut self, key: &[u8], more: &[u8], now: u64) -> Result<usize, WrongType> {
        let Some(slot) = self.locate(key, now) else {
            self.add(key, Value::from_bytes(more), NEVER);
            return Ok(more.len());
        };
        let value = &mut self.table.at_mut(slot).value;
        let before = value.weight();
        if let Value::Integer(number) = value {
            *value = Value::Bytes(format_i64(*number, &mut Digits::default()).to_vec());
        }
        let Value::Bytes(bytes) = value else { return Err(WrongType) };
        bytes.extend_from_slice(more);
        let len = bytes.len();
        self.weight = self.weight - before + value.weight();
        Ok(len)
    }
}
