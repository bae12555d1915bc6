//! The watch's core: the value, its version, and who waits for another version.
//!
//! Invariants:
//! - `watch.latest`: a look sees the value of the last change, and the version says which one that was.
//! - `watch.told`: who has not seen the present version doesn't wait; who has is told of the next one, or of the end.
//! - `watch.end`: the end is told when no sender is left, after the last value was seen.
//!
//! Not here: `Cx`.

use std::{sync::Arc, task::Poll};

use crate::{
    Closed, WaitNode, Wakes,
    gone::Gone,
    sync::{AtomicU64, Relaxed},
    wait_queue::WaitQueue,
};

struct State<T> {
    value: Arc<T>,
    version: u64,
    senders: usize,
    receivers: usize,
}

/// A value that changes. Begins with one sender and one receiver.
pub struct Latest<T, W: Wakes> {
    state: WaitQueue<W, State<T>>,
    /// As in the state, for looks without the lock: a version that differs was there, and the value is looked at under the
    /// lock. Whoever reads the one it has seen looks again there.
    version: AtomicU64,
    /// Senders that wait until nobody receives.
    gone: Gone<W>,
}

impl<T, W: Wakes> Latest<T, W> {
    /// The first version.
    pub fn new(value: T) -> Self {
        let state = State { value: Arc::new(value), version: 0, senders: 1, receivers: 1 };
        Self { state: WaitQueue::with_state(state), version: AtomicU64::new(0), gone: Gone::new() }
    }

    /// The value and its version.
    pub fn look(&self) -> (Arc<T>, u64) {
        self.state.with(|state| (state.value.clone(), state.version))
    }

    /// Replaces the value and tells everybody; the value before.
    pub fn replace(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        self.state.tell(|state| {
            state.version += u64::from(!types::seeded!("watch.version-kept"));
            self.version.store(state.version, Relaxed);
            (core::mem::replace(&mut state.value, value), true)
        })
    }

    /// Changes the value in place, or a copy if somebody looks at it, and tells everybody if `change` says so.
    pub fn modify(&self, change: impl FnOnce(&mut T) -> bool) -> bool
    where
        T: Clone,
    {
        self.state.tell(|state| {
            let changed = change(Arc::make_mut(&mut state.value));
            state.version += u64::from(changed);
            self.version.store(state.version, Relaxed);
            (changed, changed)
        })
    }

    /// Waits for a version other than `seen`; which one it is.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_changed(
        &self,
        node: &mut WaitNode,
        seen: u64,
        make: impl FnOnce() -> W,
    ) -> Poll<Result<u64, Closed>> {
        let version = self.version.load(Relaxed);
        if version != seen {
            self.cancel(node);
            return Poll::Ready(Ok(version));
        }
        self.state.poll_with(node, make(), |state| {
            if state.version != seen {
                return Some(Ok(state.version));
            }
            (state.senders == 0).then_some(Err(Closed))
        })
    }

    /// Stops waiting.
    pub fn cancel(&self, node: &mut WaitNode) {
        if node.is_queued() {
            self.state.forget(node);
        }
    }

    /// Waits until there is no receiver.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel_closed`](Self::cancel_closed).
    pub fn poll_closed(&self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<()> {
        self.gone.poll(node, make, || self.parties().1 == 0)
    }

    /// Stops waiting for the receivers to leave.
    pub fn cancel_closed(&self, node: &mut WaitNode) {
        self.gone.cancel(node);
    }

    /// How many senders and receivers there are.
    pub fn parties(&self) -> (usize, usize) {
        self.state.with(|state| (state.senders, state.receivers))
    }

    /// One more sender.
    pub fn join_senders(&self) {
        self.state.with(|state| state.senders += 1);
    }

    /// One sender fewer. The last one is heard by everybody.
    pub fn leave_senders(&self) {
        self.state.tell(|state| {
            state.senders -= 1;
            ((), state.senders == 0 && !types::seeded!("watch.end-unheard"))
        });
    }

    /// One more receiver; the version it joins at.
    pub fn join_receivers(&self) -> u64 {
        self.state.with(|state| {
            state.receivers += 1;
            state.version
        })
    }

    /// One receiver fewer. Senders hear of the last one.
    pub fn leave_receivers(&self) {
        let last = self.state.with(|state| {
            state.receivers -= 1;
            state.receivers == 0
        });
        if last {
            self.gone.tell();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
