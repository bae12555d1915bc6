//! Who watches over the busy workers, and when nobody has to: the protocol behind `engine.watched`.
//!
//! One sleeper at a time holds the watch ([`Sentinel`](crate::idle)): it sleeps with a limit and looks now and
//! then whether those that run are stuck in one task. When everybody has slept for a while it *dozes*: sleeps without a
//! limit, so that a runtime without work has no wake-ups. Two hand-overs must not fail:
//!
//! | who | writes | then looks at |
//! |---|---|---|
//! | a sentinel that wants to doze | "I doze" | whether everybody is listed as asleep |
//! | a worker that rises | takes its bit out of the list | whether somebody dozes, and calls them back |
//! | a sentinel that leaves | gives up the watch | whether somebody is listed as asleep, and wakes them |
//! | a worker that falls asleep | lists itself | whether the watch is free, and claims it |
//!
//! Rows one and two, and three and four, are the two sides of one handshake: both write, fence, and look, so at least
//! one of them sees the other.
//!
//! Loom runs this very code in `tests/loom_watch.rs`. Not here: what the sentinel does when it looks (`worker`), the list
//! of sleepers and the claim of the watch (`idle`).

use crate::idle::{Idle, Sentinel, WorkerIndex};
use crate::sync::{AtomicUsize, Ordering, fence};

/// Whether the sentinel dozes. See the [module](self).
#[derive(Debug)]
pub struct Watch {
    /// The sentinel's index, counted from 1, while it sleeps without a limit; else 0.
    dozing: AtomicUsize,
}

impl Default for Watch {
    fn default() -> Watch {
        Watch::new()
    }
}

impl Watch {
    /// Nobody dozes.
    #[must_use]
    pub fn new() -> Watch {
        Watch { dozing: AtomicUsize::new(0) }
    }

    /// The sentinel, listed as asleep, asks to sleep without a limit: false if somebody is awake. On true it sleeps,
    /// then calls [`end_doze`](Self::end_doze). `me` holds the watch.
    #[must_use = "on true the sentinel counts as dozing until end_doze"]
    pub fn doze(&self, idle: &Idle, me: WorkerIndex) -> bool {
        self.dozing.store(me.get() + 1, Ordering::Relaxed);
        if !types::seeded!("watch.no-doze-fence") {
            fence(Ordering::SeqCst);
        }
        let all = idle.all_asleep() || types::seeded!("watch.doze-unchecked");
        if !all {
            self.end_doze()
        }
        all
    }

    /// The sentinel's sleep without a limit is over, or did not begin.
    pub fn end_doze(&self) {
        self.dozing.store(0, Ordering::Relaxed)
    }

    /// A worker was listed as asleep, be it for a moment, and is so no longer; `held` is its watch, if it held it. Returns
    /// the sleeper that the caller must unpark now, for the watch's sake: the one that is to take it over, or the
    /// sentinel that dozes.
    #[must_use = "the sleeper must be unparked"]
    pub fn risen(&self, idle: &Idle, held: Option<Sentinel<'_>>) -> Option<WorkerIndex> {
        match held {
            Some(watch) => {
                drop(watch);
                if !types::seeded!("watch.no-leave-fence") {
                    fence(Ordering::SeqCst);
                }
                if types::seeded!("watch.no-successor") { None } else { idle.a_sleeper() }
            }
            None => {
                if !types::seeded!("watch.no-rise-fence") {
                    fence(Ordering::SeqCst);
                }
                if self.dozing.load(Ordering::Relaxed) == 0 || types::seeded!("watch.no-call") {
                    return None;
                }
                // Of several that rise, one calls.
                self.dozing.swap(0, Ordering::AcqRel).checked_sub(1).map(|sentinel| idle.worker(sentinel))
            }
        }
    }
}
