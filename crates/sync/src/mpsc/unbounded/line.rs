//! The unbounded channel's core: a line of values under one lock.
//!
//! One lock keeps together: who may still send, what is there, and whether the receiver sleeps. The receiver takes all
//! that is there into a line of its own and gives from that, so it takes the lock once for each crowd of values, and the
//! two lines change places, so nothing is allocated once they have seen their crowd.
//!
//! Invariants:
//! - `line.fifo`: values are received in the order of their sends; what the receiver took out comes before what is there.
//! - `line.no-loss`: a send that was refused gives its value back; a value that was accepted is received, or dropped with
//!   the receiver.
//! - `line.end`: the end is found only when nothing is there and nobody can send: no sender is left, or the channel was
//!   closed and no place that was reserved before is left.
//!
//! Not here: `Cx`, obligations.

use std::{collections::VecDeque, task::Poll};

use crate::{
    TryRecvError, WaitNode, Wakes,
    gone::{Gone, Leaving},
    object::{Access, Object, ObjectKind},
    sync::{Arc, AtomicUsize, Relaxed},
    wait_queue::WaitQueue,
};

struct Line<T> {
    values: VecDeque<T>,
    /// How many were ever put in (wrapping).
    sent: usize,
    senders: usize,
    /// Places that were reserved and not used or given up.
    reserved: usize,
    closed: bool,
    /// The receiver is gone: nobody will ever look.
    gone: bool,
}

struct Shared<T, W: Wakes> {
    line: WaitQueue<W, Line<T>>,
    /// Senders that wait until nobody receives.
    gone: Gone<W>,
    /// How many were ever received (wrapping). Written by the receiver only.
    received: AtomicUsize,
    /// The values in order: what exploration knows the channel by.
    values: Object,
}

impl<T, W: Wakes> Shared<T, W> {
    fn len(&self) -> usize {
        self.line.with(|line| line.sent.wrapping_sub(self.received.load(Relaxed)))
    }
}

/// A channel without a bound.
#[track_caller]
pub fn channel<T, W: Wakes>() -> (Tx<T, W>, Rx<T, W>) {
    let line = Line { values: VecDeque::new(), sent: 0, senders: 1, reserved: 0, closed: false, gone: false };
    let values = Object::new(ObjectKind::Queue);
    let (line, received) = (WaitQueue::with_state(line), AtomicUsize::new(0));
    let shared = Arc::new(Shared { line, gone: Gone::new(), received, values });
    (Tx { shared: shared.clone() }, Rx { shared, taken: VecDeque::new() })
}

/// The sending half. Clones send into the same channel.
pub struct Tx<T, W: Wakes> {
    shared: Arc<Shared<T, W>>,
}

impl<T, W: Wakes> Tx<T, W> {
    /// Sends. Never waits. One short lock.
    ///
    /// # Errors
    /// Closed, with the value.
    pub fn send(&self, value: T) -> Result<(), T> {
        self.put(value, |line| line.closed || line.gone)
    }

    /// Reserves a place, which a close leaves alone.
    ///
    /// # Errors
    /// Closed.
    pub fn reserve(&self) -> Result<(), crate::Closed> {
        self.shared.line.with(|line| {
            if line.closed || line.gone {
                return Err(crate::Closed);
            }
            line.reserved += 1;
            Ok(())
        })
    }

    /// Sends into a reserved place, also after a close.
    ///
    /// # Errors
    /// The receiver is gone: the value comes back. The place is used up either way.
    ///
    /// # Panics
    /// If no place is reserved.
    pub fn commit(&self, value: T) -> Result<(), T> {
        self.put(value, |line| {
            line.reserved = line.reserved.checked_sub(1).expect("a place was used that nobody had reserved");
            line.gone
        })
    }

    /// Gives a reserved place up.
    ///
    /// # Panics
    /// If no place is reserved.
    pub fn abort(&self) {
        self.shared.line.tell(|line| {
            line.reserved =
                line.reserved.checked_sub(1).expect("a place was given up that nobody had reserved");
            ((), line.closed && line.reserved == 0 && !types::seeded!("line.abort-unheard"))
        });
    }

    /// What exploration knows the channel by.
    #[cfg(not(loom))]
    pub(super) fn values(&self) -> &Object {
        &self.shared.values
    }

    /// Whether sending is over.
    pub fn is_closed(&self) -> bool {
        self.shared.line.with(|line| line.closed || line.gone)
    }

    /// That sending is over, to be waited for.
    pub fn leaving(&self) -> Leaving<'_, W, impl Fn() -> bool> {
        self.shared.gone.once(|| self.is_closed())
    }

    /// Values sent and not received.
    pub fn len(&self) -> usize {
        self.shared.len()
    }

    /// Whether nothing is in the channel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// A sender that doesn't keep the channel from ending.
    pub fn downgrade(&self) -> WeakTx<T, W> {
        WeakTx { shared: self.shared.clone() }
    }

    fn put(&self, value: T, refuses: impl FnOnce(&mut Line<T>) -> bool) -> Result<(), T> {
        self.shared.line.tell(|line| {
            if refuses(line) {
                return (Err(value), false);
            }
            line.values.push_back(value);
            line.sent = line.sent.wrapping_add(1);
            (Ok(()), true)
        })
    }
}

impl<T, W: Wakes> Clone for Tx<T, W> {
    fn clone(&self) -> Self {
        self.shared.line.with(|line| line.senders += 1);
        Self { shared: self.shared.clone() }
    }
}

impl<T, W: Wakes> Drop for Tx<T, W> {
    fn drop(&mut self) {
        let last = self.shared.line.tell(|line| {
            line.senders -= 1;
            (line.senders == 0, line.senders == 0 && !types::seeded!("line.last-sender-unheard"))
        });
        // One fewer: only who finds the end can tell.
        self.shared.values.touch(if last { Access::Close } else { Access::Release(1) });
    }
}

/// A sender that counts for nothing until it's upgraded.
pub struct WeakTx<T, W: Wakes> {
    shared: Arc<Shared<T, W>>,
}

impl<T, W: Wakes> WeakTx<T, W> {
    /// A sender, unless the last one is gone.
    pub fn upgrade(&self) -> Option<Tx<T, W>> {
        let lives = self.shared.line.with(|line| {
            let lives = line.senders != 0 || types::seeded!("line.upgrade-of-the-dead");
            line.senders += usize::from(lives);
            lives
        });
        self.shared.values.touch(Access::Read);
        lives.then(|| Tx { shared: self.shared.clone() })
    }
}

impl<T, W: Wakes> Clone for WeakTx<T, W> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

/// The receiving half. Dropping it closes the channel and drops what is in it.
pub struct Rx<T, W: Wakes> {
    shared: Arc<Shared<T, W>>,
    /// Taken out of the line and not received yet: the oldest values.
    taken: VecDeque<T>,
}

impl<T, W: Wakes> Rx<T, W> {
    /// Waits for the oldest value; `None` when none will come.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_recv(&mut self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<Option<T>> {
        self.poll_head(node, make).map(|found| if found { self.take_head() } else { None })
    }

    /// Waits until there is an oldest value, and leaves it first in line; false when none will come.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_head(&mut self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<bool> {
        if !self.taken.is_empty() {
            return Poll::Ready(true);
        }
        let Self { shared, taken } = self;
        shared.line.poll_until(node, make, |line| fill(line, taken))
    }

    /// The oldest value of those that were taken out of the line: after [`poll_head`](Self::poll_head) has found one, it
    /// stays this one until it's taken.
    pub fn head(&self) -> Option<&T> {
        self.taken.front()
    }

    /// Takes the oldest value if there is one.
    ///
    /// # Errors
    /// There is none now, or there will be none.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        if self.taken.is_empty() {
            match self.shared.line.with(|line| fill(line, &mut self.taken)) {
                Some(true) => {}
                Some(false) => return Err(TryRecvError::Closed),
                None => return Err(TryRecvError::Empty),
            }
        }
        self.take_head().ok_or(TryRecvError::Empty)
    }

    /// Takes what [`head`](Self::head) shows.
    pub fn take_head(&mut self) -> Option<T> {
        let value = self.taken.pop_front();
        if value.is_some() {
            // Ours alone to write.
            let received = self.shared.received.load(Relaxed);
            self.shared.received.store(received.wrapping_add(1), Relaxed);
        }
        value
    }

    /// Stops waiting.
    pub fn cancel(&mut self, node: &mut WaitNode) {
        self.shared.line.forget(node);
    }

    /// What exploration knows the channel by.
    #[cfg(not(loom))]
    pub(super) fn values(&self) -> &Object {
        &self.shared.values
    }

    /// Refuses what was not reserved before.
    pub fn close(&mut self) {
        self.shared.line.with(|line| line.closed = true);
        self.shared.gone.tell();
    }

    /// Values sent and not received.
    pub fn len(&self) -> usize {
        self.shared.len()
    }

    /// Whether nothing is in the channel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Takes what is in the line: true if something was, false at the end, `None` if there's nothing yet.
fn fill<T>(line: &mut Line<T>, taken: &mut VecDeque<T>) -> Option<bool> {
    if !line.values.is_empty() {
        core::mem::swap(&mut line.values, taken);
        return Some(true);
    }
    (line.senders == 0 || line.closed && line.reserved == 0).then_some(false)
}

impl<T, W: Wakes> Drop for Rx<T, W> {
    fn drop(&mut self) {
        // Dropped after the lock: a value's destructor may use the channel.
        let left = self.shared.line.with(|line| {
            line.gone = true;
            core::mem::take(&mut line.values)
        });
        self.shared.gone.tell();
        self.shared.values.touch(Access::Close);
        drop(core::mem::take(&mut self.taken));
        drop(left);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
