//! [`Objects`]: what is known about shared objects from the stream of operations on them: how many permits are taken,
//! how many messages are in a queue, what has happened.
//!
//! It says whether an announced operation would have to wait, what an attempt would come to, and gives each operation
//! the number that the relation needs.
//!
//! Invariants: `objects.counts` (an object's state is how much was taken, given, sent, received and closed; so a step
//! can be undone by subtracting it), `objects.complete` (every operation on an object is told, in order).
//!
//! Not here: values (nobody tells them, so whether a compare-exchange succeeds can't be said), the order of waiters.

use crate::names::Names;
use crate::relation::Mark;
use crate::scheduler::{Announced, Request, Touch};
use trace::{Access, ObjectId, ObjectKind};

/// How often what was done to one object.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Account {
    taken: u32,
    given: u32,
    sent: u32,
    received: u32,
    /// Closes, or that it happened.
    closed: u32,
    written: u32,
}

impl Account {
    /// The number by which the relation knows the operation, before it is counted. Of a shared lock there is none: those
    /// who share come in no order.
    pub(crate) fn ordinal(&self, kind: ObjectKind, access: Access) -> u32 {
        match access {
            _ if matches!(kind, ObjectKind::SharedLock { .. }) => 0,
            Access::Acquire(_) | Access::TryAcquire(_) | Access::Refused(_) => self.taken,
            Access::Release(_) => self.given,
            Access::Send => self.sent,
            Access::Receive | Access::TryReceive | Access::Empty | Access::Ended => self.received,
            Access::Close => self.closed,
            _ => 0,
        }
    }

    /// Counts an operation.
    pub(crate) fn add(&mut self, access: Access) {
        if let Some((count, by)) = self.count(access) {
            *count = count.wrapping_add(by);
        }
    }

    /// Undoes [`Account::add`].
    pub(crate) fn subtract(&mut self, access: Access) {
        if let Some((count, by)) = self.count(access) {
            *count = count.wrapping_sub(by);
        }
    }

    fn count(&mut self, access: Access) -> Option<(&mut u32, u32)> {
        Some(match access {
            Access::Acquire(count) | Access::TryAcquire(count) => (&mut self.taken, count),
            Access::Release(count) => (&mut self.given, count),
            Access::Send => (&mut self.sent, 1),
            Access::Receive | Access::TryReceive => (&mut self.received, 1),
            Access::Close | Access::Happen => (&mut self.closed, 1),
            Access::Write | Access::Set(_) => (&mut self.written, 1),
            _ => return None,
        })
    }

    /// Whether the operation, announced, would not have to wait.
    pub(crate) fn possible(&self, kind: ObjectKind, access: Access) -> bool {
        match access {
            Access::Acquire(count) => self.closed > 0 || self.fits(kind, count),
            Access::Receive => self.closed > 0 || self.received < self.sent,
            Access::Ended => self.closed > 0,
            Access::Observe => self.closed > 0,
            _ => true,
        }
    }

    /// What the operation, announced and possible, would come to.
    pub(crate) fn outcome(&self, kind: ObjectKind, access: Access) -> Access {
        match access {
            // Who finds it closed takes nothing, and has looked.
            Access::Acquire(_) | Access::TryAcquire(_)
                if self.closed > 0 && !types::seeded!("explore.closed-is-taken") =>
            {
                Access::Read
            }
            Access::TryAcquire(count) if !self.fits(kind, count) => Access::Refused(count),
            Access::Refused(count) if self.fits(kind, count) => Access::TryAcquire(count),
            Access::Receive if self.received == self.sent => Access::Ended,
            Access::TryReceive if self.received == self.sent => {
                if self.closed > 0 {
                    Access::Read
                } else {
                    Access::Empty
                }
            }
            Access::Empty if self.received < self.sent => Access::TryReceive,
            _ => access,
        }
    }

    /// Of a task's request to end: whether one was made.
    pub(crate) fn is_made(&self) -> bool {
        self.written > 0
    }

    fn fits(&self, kind: ObjectKind, count: u32) -> bool {
        let total = match kind {
            ObjectKind::Lock => 1,
            ObjectKind::SharedLock { total }
            | ObjectKind::Permits { total }
            | ObjectKind::Slots { total } => total,
            ObjectKind::Value | ObjectKind::Queue | ObjectKind::Moment => return true,
        };
        u64::from(self.taken) + u64::from(count) <= u64::from(total) + u64::from(self.given)
    }
}

/// The state of all objects of an execution, as far as it follows from what was done to them.
#[derive(Clone, Debug)]
pub struct Objects {
    names: Names,
    accounts: Vec<Account>,
}

impl Default for Objects {
    fn default() -> Objects {
        Objects::new()
    }
}

impl Objects {
    /// Before anything was done to any.
    #[must_use]
    pub fn new() -> Objects {
        Objects { names: Names::new(), accounts: Vec::new() }
    }

    /// Another execution begins. The memory stays.
    pub fn clear(&mut self) {
        self.accounts.fill(Account::default());
    }

    /// Whether the announced operation would not have to wait, as things are now.
    #[must_use]
    pub fn possible(&self, announced: &Announced) -> bool {
        self.account(announced.object).possible(announced.kind, announced.access)
    }

    /// As [`Objects::possible`], of the object of this number: no look for its name.
    ///
    /// # Panics
    /// If no object has that number.
    #[inline]
    #[must_use]
    pub fn possible_at(&self, number: u32, kind: ObjectKind, access: Access) -> bool {
        self.accounts[number as usize].possible(kind, access)
    }

    /// Counts an operation on the object of this number; for whoever has no use for the [`Mark`].
    ///
    /// # Panics
    /// If no object has that number.
    #[inline]
    pub fn count(&mut self, number: u32, access: Access) {
        self.accounts[number as usize].add(access)
    }

    /// What the announced operation would come to, as things are now: an attempt may be refused, a receive may find
    /// the end. A compare-exchange stays one: values aren't known here.
    #[must_use]
    pub fn outcome(&self, announced: &Announced) -> Access {
        self.account(announced.object).outcome(announced.kind, announced.access)
    }

    /// Whether this request was made, and is heeded: so that what its task announced is refused.
    #[must_use]
    pub fn refuses(&self, request: &Request) -> bool {
        request.heeded && self.account(request.object).is_made()
    }

    /// An operation happens: counts it, and returns what the relation needs to know of it.
    pub fn mark(&mut self, touch: &Touch) -> Mark {
        let object = self.number(touch.object);
        let account = &mut self.accounts[object as usize];
        let ordinal = account.ordinal(touch.kind, touch.access);
        account.add(touch.access);
        Mark { object, ordinal, kind: touch.kind, access: touch.access }
    }

    /// Undoes [`Objects::mark`]; the last operation first.
    pub(crate) fn unmark(&mut self, mark: &Mark) {
        self.accounts[mark.object as usize].subtract(mark.access);
    }

    /// The object's number: small, and its own for as long as this lives, whatever executions come.
    pub fn number(&mut self, object: ObjectId) -> u32 {
        let number = self.names.number(object.0);
        if self.accounts.len() < self.names.len() {
            self.accounts.resize(self.names.len(), Account::default());
        }
        number
    }

    /// The name of the object of this number.
    pub(crate) fn name(&self, object: u32) -> u64 {
        self.names.name(object)
    }

    fn account(&self, object: ObjectId) -> Account {
        self.names.known(object.0).map_or_else(Account::default, |number| self.accounts[number as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Access::{
        Acquire, Close, Empty, Ended, Happen, Observe, Read, Receive, Refused, Release, Send, TryAcquire,
        TryReceive,
    };

    struct One {
        objects: Objects,
        kind: ObjectKind,
    }

    impl One {
        fn new(kind: ObjectKind) -> One {
            One { objects: Objects::new(), kind }
        }

        fn touch(&self, access: Access) -> Touch {
            Touch { object: ObjectId(7), kind: self.kind, access, at: None }
        }

        fn does(&mut self, access: Access) -> u32 {
            self.objects.mark(&self.touch(access)).ordinal
        }

        fn possible(&self, access: Access) -> bool {
            self.objects.possible(&self.touch(access))
        }

        fn outcome(&self, access: Access) -> Access {
            self.objects.outcome(&self.touch(access))
        }
    }

    #[test]
    fn permits_are_counted_and_numbered() {
        let mut permits = One::new(ObjectKind::Permits { total: 3 });
        assert!(permits.possible(Acquire(3)) && !permits.possible(Acquire(4)));
        assert_eq!((permits.does(Acquire(2)), permits.does(TryAcquire(1))), (0, 2));
        assert!(!permits.possible(Acquire(1)) && permits.possible(TryAcquire(1)));
        assert_eq!(permits.outcome(TryAcquire(1)), Refused(1));
        assert_eq!((permits.does(Release(1)), permits.does(Release(2))), (0, 1));
        assert_eq!((permits.outcome(TryAcquire(1)), permits.does(Acquire(1))), (TryAcquire(1), 3));
    }

    #[test]
    fn who_excludes_needs_all_of_a_shared_lock() {
        let mut lock = One::new(ObjectKind::SharedLock { total: 8 });
        lock.does(Acquire(1));
        assert!(lock.possible(Acquire(1)) && !lock.possible(Acquire(8)));
        lock.does(Release(1));
        lock.does(Acquire(8));
        assert!(!lock.possible(Acquire(1)));
    }

    #[test]
    fn a_queue_has_its_messages_and_its_end() {
        let mut queue = One::new(ObjectKind::Queue);
        assert!(!queue.possible(Receive));
        assert_eq!(queue.outcome(TryReceive), Empty);
        assert_eq!((queue.does(Send), queue.does(Send), queue.does(Receive)), (0, 1, 0));
        queue.does(Close);
        assert_eq!((queue.outcome(Receive), queue.does(Receive)), (Receive, 1));
        assert!(queue.possible(Receive));
        assert_eq!((queue.outcome(Receive), queue.outcome(TryReceive)), (Ended, Read));
    }

    #[test]
    fn who_waits_for_a_moment_waits_until_it_happens() {
        let mut moment = One::new(ObjectKind::Moment);
        assert!(!moment.possible(Observe));
        moment.does(Happen);
        assert!(moment.possible(Observe));
    }

    #[test]
    fn what_was_done_can_be_undone() {
        let mut queue = One::new(ObjectKind::Queue);
        let accesses = [Send, Send, Receive, Close, TryReceive, Ended];
        let marks = accesses.map(|access| queue.objects.mark(&queue.touch(access)));
        marks.iter().rev().for_each(|mark| queue.objects.unmark(mark));
        assert_eq!(queue.objects.accounts, [Account::default()]);
    }
}
