//! Calls that run code of others in the kernel's own name: the wake and the drop of a waker that is none of ours, and the
//! drop of what a task left when its runtime is gone.
//!
//! Invariant `waiter.contained`: what such a waker panics with doesn't unwind into whoever wakes or forgets it. It stands
//! in the middle of something (a task's end, a value on its way out of a channel, a region that closes), and is not
//! concerned; nor would a second panic, of a second waker, leave the process alive. The panic hook has told of it.
//!
//! Without `std` nothing catches a panic, and targets of that kind mostly have none that unwinds.
//!
//! Not here: telling the operator, who is known where there is a world (`cx`); wakers while a future is polled, whose panic
//! is the poll's.
use alloc::boxed::Box;
use core::any::Any;

/// What somebody panicked with.
pub type PanicPayload = Box<dyn Any + Send>;

/// Runs `call`; `Err` is what it panicked with.
#[cfg(all(feature = "std", not(loom)))]
pub(crate) fn catch(call: impl FnOnce()) -> Result<(), PanicPayload> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call))
}

/// Runs `call`. Nothing is caught here.
#[cfg(not(all(feature = "std", not(loom))))]
pub(crate) fn catch(call: impl FnOnce()) -> Result<(), PanicPayload> {
    call();
    Ok(())
}

/// Runs `call`; what it panics with is dropped.
pub fn contain(call: impl FnOnce()) {
    if types::seeded!("waiter.uncontained") {
        return call();
    }
    let Err(payload) = catch(call) else { return };
    // Its drop may panic as well. A third one that does would be one too many.
    if let Err(second) = catch(move || drop(payload)) {
        core::mem::forget(second)
    }
}
