//! [`Turn`]: one task at a time in one direction of a socket.
//!
//! A port registers one waker for each direction, and a second one takes the first one's place, whose task then waits for
//! ever. Sockets are shared (`&self` methods, halves through an `Arc`), so this mistake compiles; here it becomes an error
//! of the second task, at the place where it is made.
//!
//! Not here: queueing. Whoever wants several tasks to take turns at one half puts a mutex around it.

use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Release},
};

/// Free, or taken by an operation that is under way.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicBool);

/// Gives the turn back when dropped.
#[derive(Debug)]
pub(crate) struct Taken<'a>(&'a AtomicBool);

impl Turn {
    /// Takes it, unless an operation is under way.
    pub(crate) fn take(&self) -> Option<Taken<'_>> {
        (!self.0.swap(true, Acquire)).then_some(Taken(&self.0))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.store(false, Release);
    }
}
