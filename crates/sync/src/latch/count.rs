//! The latch's core.
//!
//! Invariant `latch.once`: the count never grows, so once it's 0 nobody waits any more.
//!
//! Not here: `Cx`.

use core::task::Poll;

use crate::{WaitNode, Wakes, wait_queue::WaitQueue};

/// How often [`down`](Self::down) is still to be called.
pub struct Count<W: Wakes>(WaitQueue<W, usize>);

impl<W: Wakes> Count<W> {
    /// So often.
    pub fn new(count: usize) -> Self {
        Self(WaitQueue::with_state(count))
    }

    /// So many fewer, but not fewer than 0; whether it is 0 now. The call that makes it so tells everybody.
    pub fn down(&self, by: usize) -> bool {
        self.0.tell(|left| {
            let was_shut = *left > 0;
            *left = left.saturating_sub(by);
            let is_open = *left == 0;
            (is_open, was_shut && is_open && !types::seeded!("latch.open-unheard"))
        })
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.0.with(|left| *left)
    }

    /// Waits until none is left. A node that returned `Pending` must be polled here again or given to
    /// [`cancel`](Self::cancel).
    pub fn poll_open(&self, node: &mut WaitNode, make: impl FnOnce() -> W) -> Poll<()> {
        self.0.poll_until(node, make, |left| (*left == 0).then_some(()))
    }

    /// Stops waiting.
    pub fn cancel(&self, node: &mut WaitNode) {
        self.0.forget(node);
    }
}
