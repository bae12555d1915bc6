//! Who has what one task has at a time: the ends of channels, the handles of tasks.
//!
//! Not here: what is done with them (`values`, `channels`, `unbounded`).
use crate::hand::Hand;
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};
use sync::shared::Shared;

/// Who has the ends of channels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ends {
    /// They lie where every task finds them, and each says that it takes them from there and puts them back.
    Shared,
    /// They are moved into these tasks, which drop them when they end. Nobody says so.
    Moved { giver: usize, taker: usize },
}

/// An end of a channel that one task has at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    Giver,
    Taker,
}

impl Ends {
    /// Whether this task can ever have what it needs.
    pub(crate) fn allow(self, task: usize, needed: Option<End>) -> bool {
        match (self, needed) {
            (Ends::Moved { giver, .. }, Some(End::Giver)) => giver == task,
            (Ends::Moved { taker, .. }, Some(End::Taker)) => taker == task,
            _ => true,
        }
    }

    pub(crate) fn of_one(giver: usize, tasks: usize) -> Ends {
        Ends::Moved { giver, taker: (giver + 1) % tasks }
    }

    pub(crate) fn are_moved(self) -> bool {
        self != Ends::Shared
    }

    /// For what this task has, if anybody has it alone.
    pub(crate) fn slot<T>(self, owner: usize, value: impl Into<Option<T>>) -> Slot<T> {
        match self {
            Ends::Shared => Slot::Shared(Shared::new(value.into())),
            Ends::Moved { .. } => Slot::Of(owner, Mutex::new(value.into())),
        }
    }

    pub(crate) fn given<T>(self, value: T) -> Slot<T> {
        let Ends::Moved { giver, .. } = self else { return self.slot(0, value) };
        self.slot(giver, value)
    }

    pub(crate) fn taken<T>(self, value: T) -> Slot<T> {
        let Ends::Moved { taker, .. } = self else { return self.slot(0, value) };
        self.slot(taker, value)
    }
}

/// Something that one task has at a time. The others find nothing there meanwhile, or never, and do without.
pub(crate) enum Slot<T> {
    Shared(Shared<Option<T>>),
    Of(usize, Mutex<Option<T>>),
}

impl<T> Slot<T> {
    fn with<R>(&self, f: impl FnOnce(&mut Option<T>) -> R) -> R {
        match self {
            Slot::Shared(shared) => shared.write(f),
            Slot::Of(_, own) => f(&mut own.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn is_for(&self, hand: &Hand<'_>) -> bool {
        match self {
            Slot::Shared(_) => true,
            Slot::Of(owner, _) => hand.is_of_task(*owner),
        }
    }

    pub(crate) fn take(&self, hand: &Hand<'_>) -> Option<T> {
        if self.is_for(hand) { self.with(Option::take) } else { None }
    }

    pub(crate) fn put(&self, value: T) {
        self.with(|slot| *slot = Some(value))
    }

    /// This task ends, and drops what was moved into it.
    pub(crate) fn leave(&self, task: usize) {
        if let Slot::Of(owner, own) = self
            && *owner == task
        {
            let _dropped_unlocked = own.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
    }

    pub(crate) fn look<R>(&self, hand: &Hand<'_>, look: impl FnOnce(&T) -> R) -> Option<R> {
        match self {
            Slot::Shared(shared) => shared.read(|slot| slot.as_ref().map(look)),
            Slot::Of(..) if self.is_for(hand) => self.with(|slot| slot.as_ref().map(look)),
            Slot::Of(..) => None,
        }
    }

    pub(crate) fn lend(&self, hand: &Hand<'_>) -> Option<Lent<'_, T>> {
        self.take(hand).map(|value| Lent { slot: self, value: Some(value) })
    }
}

/// Goes back to its slot when it is dropped, also where the future is dropped that has it.
pub(crate) struct Lent<'s, T> {
    slot: &'s Slot<T>,
    value: Option<T>,
}

impl<T> Deref for Lent<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_ref().expect("it goes back when this is dropped")
    }
}

impl<T> DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("it goes back when this is dropped")
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            self.slot.put(value)
        }
    }
}
