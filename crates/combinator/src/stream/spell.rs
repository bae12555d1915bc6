//! [`Spell`]: how long an adapter without a `Cx` goes on in one poll.
//!
//! Not here: adapters that have a `Cx` take from the task's budget instead (`Cx::poll_budget`).
use core::task::{Context, Poll};

/// How many items that give no result of its own an adapter takes in one poll. Enough to make the way back to the task and
/// here again cost next to nothing for each, and few enough that others don't wait long.
const AT_ONCE: u32 = 128;

/// What is left of one poll. Make one at its beginning.
pub(super) struct Spell(u32);

impl Spell {
    pub(super) fn new() -> Spell {
        Spell(AT_ONCE)
    }

    /// Ready if the adapter may go on. Otherwise the task was woken, and the adapter returns: its consumer sees then whether
    /// there is a request or a timeout, and others have their turn.
    pub(super) fn poll_goes_on(&mut self, context: &Context<'_>) -> Poll<()> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Poll::Ready(())
            }
            None => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}
