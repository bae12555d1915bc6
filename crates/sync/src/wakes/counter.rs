//! A waker for tests that counts its wakes and how often it is stored.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Wake, Waker},
};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// One party that can be woken.
pub(crate) struct Counter(Arc<Wakes>);

impl Counter {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }

    /// How often it was woken.
    pub(crate) fn wakes(&self) -> usize {
        self.0.0.load(SeqCst)
    }

    /// How many wakers of it exist.
    pub(crate) fn stored(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}
