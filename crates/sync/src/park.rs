//! Waiting on a thread of one's own: what the `blocking_` forms are made of.
//!
//! They are for threads that no runtime polls tasks on: a program's main thread, a library's callback thread. On a worker
//! they would stop every other task of that worker, and in a lab there is nobody else who could go on; so they refuse
//! inside a task, whether or not they would have to wait: a call that only sometimes waits is found at its first use.
//!
//! A closure of `cx.spawn_blocking` has a thread of its own. In a lab it has not: there it runs as one step of its task, and
//! what would have to wait panics instead, before it has done anything.
//!
//! Not here: time limits, which need a clock.

use std::{
    panic::Location,
    sync::Arc,
    task::{Poll, Wake, Waker},
    thread::{self, Thread},
};

use cx::Waiter;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls until ready, and lets the thread sleep in between.
///
/// `poll` makes a waiter before it does anything that has to be undone if it doesn't wait.
///
/// # Panics
/// Inside a task, with the name of the operation; and in a blocking closure of a lab, if it would have to wait.
#[track_caller]
pub(crate) fn block_on<T>(what: &str, mut poll: impl FnMut(&dyn Fn() -> Waiter) -> Poll<T>) -> T {
    assert!(
        !cx::is_inside_task(),
        "`{what}` was called inside a task, whose thread it would block: use the form that takes a `Cx`"
    );
    if cx::is_inside_inline() {
        let at = Location::caller();
        return match poll(&|| would_wait(what, at)) {
            Poll::Ready(value) => value,
            Poll::Pending => would_wait(what, at),
        };
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match poll(&|| Waiter::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            // A token that is there already, from us or from somebody else, only means one more look.
            Poll::Pending => thread::park(),
        }
    }
}

#[cold]
fn would_wait(what: &str, at: &Location<'_>) -> ! {
    panic!(
        "`{what}` at {at} would have to wait, in a blocking closure that runs as a step of its task, as in a lab: nobody else \
         can go on meanwhile. See that it needs not to wait there, or give the work to a task"
    )
}
