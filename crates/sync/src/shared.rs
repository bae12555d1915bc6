//! [`Shared`]: a value that tasks look at and change in one go, never across an await.
//!
//! What an atomic or a `std::sync::Mutex` is in other code, with one difference: schedule exploration sees what is done
//! to it, so that a program whose tasks talk through such values is explored completely.
//!
//! Not here: holding a value across an await (`mutex`), waiting for a change (`notify`).
use cx::{Access, Object, ObjectKind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A value behind a short lock.
///
/// The closures run under the lock: they should be short, and must not use the same value again (a deadlock, or a panic,
/// as [`std::sync::Mutex::lock`] says). After a panic in one the value is as it was left.
///
/// ```
/// let sum = asupersync_sync::shared::Shared::new(3);
/// sum.write(|n| *n += 4);
/// assert_eq!(sum.read(|n| *n), 7);
/// ```
pub struct Shared<T> {
    value: Mutex<T>,
    object: Object,
    /// What a value is to exploration.
    number: Option<fn(&T) -> u32>,
}

impl<T> Shared<T> {
    /// A shared `value`.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self { value: Mutex::new(value), object: Object::new(ObjectKind::Value), number: None }
    }

    /// As [`Shared::new`], for values that exploration may tell apart by a number (0 is the first one's): it then knows
    /// beforehand which of the [announced](cx::Cx::step_to) [compare-exchanges](cx::Access::Exchange) will succeed, and
    /// tries less.
    #[track_caller]
    pub fn numbered(value: T, number: fn(&T) -> u32) -> Self {
        Self { number: Some(number), ..Self::new(value) }
    }

    /// Looks at the value.
    #[track_caller]
    pub fn read<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        let seen = look(&self.locked());
        self.touch(Access::Read);
        seen
    }

    /// Changes the value.
    #[track_caller]
    pub fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let mut value = self.locked();
        let made = change(&mut value);
        let written = self.written(&value);
        drop(value);
        self.touch(written);
        made
    }

    /// Changes the value or leaves it alone; `None` says that it was left alone, as a compare-exchange that fails. Two
    /// such failures don't depend on each other's order, and exploration need not try both.
    #[track_caller]
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> Option<R>) -> Option<R> {
        let mut value = self.locked();
        let made = change(&mut value);
        let done = if made.is_some() { self.written(&value) } else { Access::Read };
        drop(value);
        self.touch(done);
        made
    }

    fn written(&self, value: &T) -> Access {
        self.number.map_or(Access::Write, |number| Access::Set(number(value)))
    }

    /// What exploration knows it by ([`Cx::step_to`](cx::Cx::step_to)).
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked(&self) -> MutexGuard<'_, T> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    #[inline]
    fn touch(&self, access: Access) {
        if self.object.is_watched() {
            self.object.touch_at(access, core::panic::Location::caller())
        }
    }
}

impl<T: Copy> Shared<T> {
    /// A copy of the value.
    #[track_caller]
    pub fn get(&self) -> T {
        self.read(|value| *value)
    }

    /// Replaces the value.
    #[track_caller]
    pub fn set(&self, value: T) {
        self.write(|place| *place = value)
    }
}

impl<T: Default> Default for Shared<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Shared").field(&*self.locked()).finish()
    }
}
