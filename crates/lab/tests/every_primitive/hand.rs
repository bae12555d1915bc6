//! What a task has in its hands while it runs: guards and permits, what it notes, and what it was lent.
//!
//! Not here: where these come from (`locks`, `counts`, `channels`).
use std::fmt::{Debug, Write as _};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use sync::mpsc;
use sync::mutex;
use sync::rwlock::{ReadGuard, RwLock, UpgradableGuard, WriteGuard};
use sync::semaphore::{self, Semaphore};
use sync::shared::Shared;

/// Something that is given back when it is dropped.
pub(crate) enum Held<'w> {
    Read(#[expect(dead_code, reason = "it is held")] ReadGuard<Arc<RwLock<u32>>, u32>),
    Write(WriteGuard<Arc<RwLock<u32>>, u32>),
    Upgradable(UpgradableGuard<Arc<RwLock<u32>>, u32>),
    Lock(#[expect(dead_code, reason = "it is held")] mutex::Guard<'w, u32>),
    Permit(semaphore::Permit<&'w Semaphore>),
    Room(mpsc::Permit<'w, u32>),
}

pub(crate) struct Hand<'w> {
    /// The task's number.
    pub(crate) own: usize,
    notes: &'w Mutex<String>,
    held: Vec<Held<'w>>,
}

impl<'w> Hand<'w> {
    pub(crate) fn new(own: usize, notes: &'w Mutex<String>) -> Self {
        Hand { own, notes, held: Vec::new() }
    }

    /// The hand of a branch or a child, which notes where this one does and holds nothing yet.
    pub(crate) fn another(&self) -> Self {
        Hand::new(self.own, self.notes)
    }

    /// Notes what was seen, without the fields of what has some: they may hold names that differ from run to run.
    pub(crate) fn note(&self, what: impl Debug) {
        let text = format!("{what:?}");
        let short = text.split('{').next().unwrap_or_default().trim();
        let _ = write!(self.notes.lock().unwrap_or_else(PoisonError::into_inner), "{short} ");
    }

    pub(crate) fn keep(&mut self, held: Held<'w>) {
        self.held.push(held)
    }

    /// What was taken last.
    pub(crate) fn last(&mut self) -> Option<Held<'w>> {
        self.held.pop()
    }

    /// What was taken first of these.
    pub(crate) fn first(&mut self, such: impl Fn(&Held<'w>) -> bool) -> Option<Held<'w>> {
        let at = self.held.iter().position(such)?;
        Some(self.held.remove(at))
    }
}

/// Something that one task has at a time. The others find nothing there meanwhile, and do without.
pub(crate) struct Slot<T>(Shared<Option<T>>);

impl<T> Slot<T> {
    pub(crate) fn new(value: impl Into<Option<T>>) -> Self {
        Slot(Shared::new(value.into()))
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.0.write(Option::take)
    }

    pub(crate) fn put(&self, value: T) {
        self.0.write(|slot| *slot = Some(value))
    }

    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        self.0.read(|slot| slot.as_ref().map(look))
    }

    pub(crate) fn lend(&self) -> Option<Lent<'_, T>> {
        self.take().map(|value| Lent { slot: self, value: Some(value) })
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
