//! Panics of a search's runs are not printed: they are expected, there may be hundreds while a schedule is made small,
//! and the one that matters is in the search's own panic. Where the first of a run happened is kept for that.
//!
//! Not here: catching them (`executor`).
use std::cell::{Cell, RefCell};
use std::panic;
use std::path::Path;
use std::sync::Once;

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    /// Where this thread first panicked since it is quiet.
    static FIRST: RefCell<Option<String>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// The lab's own panics are reports of what others did.
fn note(at: Option<&panic::Location<'_>>) {
    let ours = Path::new(file!()).parent();
    let theirs = at.filter(|at| Path::new(at.file()).parent() != ours);
    if let Some(at) = theirs {
        // Nobody holds it: what is noted here is only taken between two runs.
        FIRST.with_borrow_mut(|first| _ = first.get_or_insert_with(|| format!("{}:{}", at.file(), at.line())))
    }
}

/// Runs `f` with this thread's panics kept silent. The process's panic hook is wrapped once, and called for all others.
/// Also returns where the first of them happened, if that was not in the lab.
pub(crate) fn quietly<T>(f: impl FnOnce() -> T) -> (T, Option<String>) {
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A thread that is ending has no such variable any more, and is none of ours.
            if QUIET.try_with(Cell::get).unwrap_or(false) { note(info.location()) } else { loud(info) }
        }))
    });
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            QUIET.set(self.0)
        }
    }
    let _restore = Restore(QUIET.replace(true));
    FIRST.take();
    let done = f();
    (done, FIRST.take())
}
