//! Panics of a search's runs are not printed: they are expected, there may be hundreds while a schedule is made small,
//! and the one that matters is in the search's own panic.
//!
//! Not here: catching them (`executor`).
use std::cell::Cell;
use std::panic;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `f` with this thread's panics kept silent. The process's panic hook is wrapped once, and called for all others.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T) -> T {
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A thread that is ending has no such variable any more, and is none of ours.
            if !QUIET.try_with(Cell::get).unwrap_or(false) {
                loud(info)
            }
        }))
    });
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            QUIET.set(self.0)
        }
    }
    let _restore = Restore(QUIET.replace(true));
    f()
}
