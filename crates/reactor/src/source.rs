//! [`Source`]: a socket that registers itself when it first has to wait, and how an operation on it is polled.
//!
//! ```text
//! not registered:  try the call ── would block ──▶ register ──▶ wait
//! registered:      ready? no ──▶ wait;  yes ──▶ try the call ── would block ──▶ clear ──▶ ready? ..
//! ```
//!
//! A connection that never has to wait is never registered. A read that is short, and a write that is cut short, clear
//! readiness too, so that the next operation waits without a system call to be told so.
//!
//! Where a call could be made before readiness is cleared or after it: after, and only as far as the slot's tick says
//! that no event came in between (`slot.no-erased-event`). A read that fills its buffer then touches no shared word.
//!
//! Not here: the calls themselves (`sockets`, `signals`).

mod raw;

use crate::failure;
use crate::slot::{Direction, event};
use cx::Waiter;
use cx::port::IoFailure;
use std::io;
use std::task::{Poll, Waker};

pub(crate) use raw::{Socket, Source};

/// What an operation left behind for the next one in its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// There may be more: worth another system call.
    More,
    /// Nothing, says the operation's size.
    Nothing,
}

impl<S: Socket> Source<S> {
    /// Polls one operation until it succeeds, fails, or has to wait. Calls that a signal interrupted are made again.
    pub(crate) fn poll_io<T>(
        &self,
        direction: Direction,
        waker: &Waker,
        mut call: impl FnMut(&S) -> io::Result<(T, Left)>,
    ) -> Poll<Result<T, IoFailure>> {
        let mut slot = self.slot();
        loop {
            let seen = match slot.map(|slot| (slot, slot.poll_ready(direction, || Waiter::from_waker(waker))))
            {
                Some((_, Poll::Pending)) => return Poll::Pending,
                Some((slot, Poll::Ready(seen))) => Some((slot, seen)),
                None => None,
            };
            match call(self.io()) {
                Ok((value, left)) => {
                    if left == Left::Nothing
                        && let Some((slot, seen)) = seen
                    {
                        slot.drained(seen);
                    }
                    return Poll::Ready(Ok(value));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match seen {
                    Some((slot, seen)) => slot.clear(seen),
                    // What becomes ready from here on gives an edge; what became ready since the call is in the first one.
                    None => match self.register(other(direction)) {
                        Ok(registered) => slot = Some(registered),
                        Err(error) => return Poll::Ready(Err(failure::of(&error))),
                    },
                },
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(failure::of(&error))),
            }
        }
    }
}

/// The other direction has not been tried yet: worth a call.
fn other(direction: Direction) -> u32 {
    match direction {
        Direction::Read => event::WRITE,
        Direction::Write => event::READ,
    }
}
