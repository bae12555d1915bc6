//! Runnables that threads other than the lab's queue: they wait here until the lab's thread takes its next step.
//!
//! Their moment is decided by no scheduler, so a trace says that it happened (`ForeignCall`).
//!
//! Not here: the lanes (`engine`).
use super::Engine;
use crate::world::locked;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::*};
use task::Runnable;
use trace::Label;

/// One of them.
pub(super) enum Arrival {
    /// Woken, or queued anew.
    Woken(Runnable),
    /// Spawned.
    Spawned(Runnable),
    /// Woken by a request.
    Cancelled(Runnable),
}

/// All that were not taken yet.
#[derive(Default)]
pub(super) struct Arrivals {
    /// Whether there ever were any.
    noted: AtomicBool,
    /// Whether there are any. Set and cleared with the queue locked.
    any: AtomicBool,
    queue: Mutex<Vec<Arrival>>,
}

impl Arrivals {
    /// Whether there ever were any.
    pub(super) fn were_any(&self) -> bool {
        self.noted.load(Acquire)
    }
}

impl Engine {
    /// Called on threads that are not the lab's.
    #[cold]
    pub(super) fn arrives(&self, arrival: Arrival) {
        if !self.arrivals.noted.swap(true, AcqRel) {
            self.emit(Label::ForeignCall { what: "a wake from a thread that is not the lab's".into() });
        }
        let mut queue = locked(&self.arrivals.queue);
        queue.push(arrival);
        self.arrivals.any.store(true, Release);
    }

    /// Queues what has arrived so far. On the lab's thread.
    #[inline]
    pub(super) fn take_arrivals(&self) {
        if self.arrivals.any.load(Acquire) {
            self.queue_arrivals()
        }
    }

    #[cold]
    fn queue_arrivals(&self) {
        let mut queue = locked(&self.arrivals.queue);
        let arrived = std::mem::take(&mut *queue);
        self.arrivals.any.store(false, Release);
        drop(queue);
        for arrival in arrived {
            match arrival {
                Arrival::Woken(runnable) => self.woken(runnable),
                Arrival::Spawned(runnable) => self.spawned(runnable),
                Arrival::Cancelled(runnable) => self.cancelled(runnable),
            }
        }
    }
}
