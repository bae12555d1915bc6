//! A lane: a first-in first-out list of runnables that any thread may fill and any thread may empty, linked
//! through the tasks themselves, so that a request to a hundred thousand tasks allocates nothing.
use crate::raw::Chain;
use crate::sync::{AtomicUsize, Mutex, Ordering};
use task::Runnable;

/// See the module. Emptiness is one relaxed load.
#[derive(Default)]
pub struct Lane {
    len: AtomicUsize,
    chain: Mutex<Chain>,
}

impl Default for Mutex<Chain> {
    fn default() -> Self {
        Mutex::new(Chain::default())
    }
}

impl core::fmt::Debug for Lane {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Lane").field("len", &self.len()).finish()
    }
}

impl Lane {
    /// How many there are: a value from the recent past.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts one at the end.
    pub fn push(&self, runnable: Runnable) {
        let mut chain = self.chain.lock();
        chain.push(runnable);
        self.len.store(chain.len, Ordering::Release);
    }

    /// Puts a chain at the end.
    pub(crate) fn append(&self, more: Chain) {
        let mut chain = self.chain.lock();
        chain.append(more);
        self.len.store(chain.len, Ordering::Release);
    }

    /// Takes the first.
    pub fn pop(&self) -> Option<Runnable> {
        if self.is_empty() {
            return None;
        }
        let mut chain = self.chain.lock();
        let first = chain.pop();
        self.len.store(chain.len, Ordering::Release);
        first
    }

    /// Takes all.
    pub(crate) fn take(&self) -> Chain {
        let mut chain = self.chain.lock();
        self.len.store(0, Ordering::Release);
        core::mem::take(&mut *chain)
    }
}
