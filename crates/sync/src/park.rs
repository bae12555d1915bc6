//! Waiting on a thread of one's own: what the `blocking_` forms are made of.
//!
//! They are for threads that no runtime polls tasks on: a program's main thread, a library's callback thread. On a worker
//! they would stop every other task of that worker, and in a lab there is nobody else who could go on; so they refuse
//! inside a task, whether or not they would have to wait: a call that only sometimes waits is found at its first use.
//!
//! Not here: time limits, which need a clock.

use std::{
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
/// # Panics
/// Inside a task, with the name of the operation.
#[track_caller]
pub(crate) fn block_on<T>(what: &str, mut poll: impl FnMut(&dyn Fn() -> Waiter) -> Poll<T>) -> T {
    assert!(
        !cx::is_inside_task(),
        "`{what}` was called inside a task, whose thread it would block: use the form that takes a `Cx`"
    );
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match poll(&|| Waiter::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            // A token that is there already, from us or from somebody else, only means one more look.
            Poll::Pending => thread::park(),
        }
    }
}
