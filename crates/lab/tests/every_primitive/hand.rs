//! What a task has in its hands while it runs: guards and permits, what it notes, and what was moved into it.
//!
//! Not here: where these come from (`locks`, `counts`, `channels`), and what tasks have one after the other (`ends`).
use combinator::TaskSet;
use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use sync::mpsc::{self, unbounded};
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
    Room(mpsc::OwnedPermit<u32>),
    Mark(#[expect(dead_code, reason = "it is held")] Mark<'w>),
}

/// Appends a number to a cell when it is dropped.
pub(crate) struct Mark<'w> {
    pub(crate) cell: &'w Shared<u32>,
    pub(crate) number: u32,
}

impl Drop for Mark<'_> {
    fn drop(&mut self) {
        append(self.cell, self.number)
    }
}

/// What is in the cell tells in which order it was written.
pub(crate) fn append(cell: &Shared<u32>, number: u32) {
    cell.write(|cell| *cell = cell.wrapping_mul(4).wrapping_add(number))
}

/// The task's number, and after it which of its children, and theirs, somebody is.
pub(crate) type Path = Vec<usize>;

/// By who noted it: each is written by one task only.
pub(crate) type Notes = Mutex<BTreeMap<Path, String>>;

/// What sends, if it was moved into the tasks: each has its own.
#[derive(Clone)]
pub(crate) struct Senders {
    pub(crate) bounded: Option<mpsc::Sender<u32>>,
    pub(crate) unbounded: Option<unbounded::Sender<u32>>,
}

impl Senders {
    pub(crate) const NONE: Senders = Senders { bounded: None, unbounded: None };
}

pub(crate) struct Hand<'w> {
    /// The number of the task, or of the one whose child it is.
    pub(crate) own: usize,
    pub(crate) senders: Senders,
    /// The tasks it has gathered, once it began to. A lock, as nobody may share what panics leave.
    set: Mutex<Option<TaskSet<u32, &'static str>>>,
    /// Whether the task is to fail in the end.
    pub(crate) fails: bool,
    path: Path,
    /// How many tasks it and its branches have spawned.
    children: Arc<AtomicUsize>,
    notes: &'w Notes,
    held: Vec<Held<'w>>,
}

impl<'w> Hand<'w> {
    pub(crate) fn new(path: Path, senders: Senders, notes: &'w Notes) -> Self {
        Hand {
            own: path.first().copied().unwrap_or_default(),
            senders,
            set: Mutex::default(),
            fails: false,
            path,
            children: Arc::default(),
            notes,
            held: Vec::new(),
        }
    }

    /// The hand of a branch, which notes where this one does and holds nothing yet.
    pub(crate) fn another(&self) -> Self {
        let mut another = Hand::new(self.path.clone(), self.senders.clone(), self.notes);
        another.children = self.children.clone();
        another
    }

    /// Where the next task notes that this one spawns.
    pub(crate) fn child(&self) -> Path {
        let mut path = self.path.clone();
        path.push(self.children.fetch_add(1, Relaxed));
        path
    }

    /// Whether it is that task's own, and not a child's.
    pub(crate) fn is_of_task(&self, task: usize) -> bool {
        self.path == [task]
    }

    /// Notes what was seen, without the fields of what has some: they may hold names that differ from run to run.
    pub(crate) fn note(&self, what: impl Debug) {
        let text = format!("{what:?}");
        let short = text.split('{').next().unwrap_or_default().trim();
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = write!(notes.entry(self.path.clone()).or_default(), "{short} ");
    }

    pub(crate) fn set(&mut self) -> &mut Option<TaskSet<u32, &'static str>> {
        self.set.get_mut().unwrap_or_else(PoisonError::into_inner)
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
