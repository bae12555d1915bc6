//! The event's core.
//!
//! Invariant `event.pulse`: who waits while the flag is set goes on, whatever becomes of the flag after that.
//!
//! Not here: `Cx`.

use core::task::Poll;

use crate::{WaitNode, Wakes, wait_queue::WaitQueue};

struct State {
    set: bool,
    /// How often it was set: who came before the last time goes on.
    times: u64,
}

/// A flag that can be waited for.
pub struct Flag<W: Wakes>(WaitQueue<W, State>);

/// One wait: from which time on it waits. Made by its first poll.
#[derive(Debug, Default)]
pub struct Since(Option<u64>);

impl<W: Wakes> Flag<W> {
    /// A flag.
    pub fn new(set: bool) -> Self {
        Self(WaitQueue::with_state(State { set, times: 0 }))
    }

    /// Sets it and lets everybody go.
    pub fn set(&self) {
        self.0.tell(|state| {
            state.set = true;
            state.times += u64::from(!types::seeded!("event.pulse-missed"));
            ((), true)
        });
    }

    /// Resets it.
    pub fn reset(&self) {
        self.0.with(|state| state.set = false);
    }

    /// Whether it's set.
    pub fn is_set(&self) -> bool {
        self.0.with(|state| state.set)
    }

    /// Waits until it's set, or was since the first poll. A node that returned `Pending` must be polled here again or
    /// given to [`cancel`](Self::cancel).
    pub fn poll_set(&self, node: &mut WaitNode, since: &mut Since, make: impl FnOnce() -> W) -> Poll<()> {
        self.0.poll_until(node, make, |state| {
            let came = *since.0.get_or_insert(state.times);
            (state.set || state.times != came).then_some(())
        })
    }

    /// Stops waiting.
    pub fn cancel(&self, node: &mut WaitNode) {
        self.0.forget(node);
    }
}
