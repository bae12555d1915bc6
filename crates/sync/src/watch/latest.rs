//! The watch's core: the value, its version, and who waits for another version.
//!
//! Invariants:
//! - `watch.latest`: a look sees the value of the last change, and the version says which one that was.
//! - `watch.told`: who has not seen the present version doesn't wait; who has is told of the next one, or of the end.
//! - `watch.end`: the end is told when no sender is left, after the last value was seen.
//! - `watch.out`: a value that is being changed in place is out of the state meanwhile, with the one who holds the lock of
//!   changes; who needs the value waits at that lock. So a user's code runs under that one only, never under the queue's.
//!
//! Not here: `Cx`.

use std::{sync::Arc, task::Poll};

use crate::{
    Closed, WaitNode, Wakes,
    gone::{Gone, Leaving},
    sync::{AtomicU64, Relaxed, Slow},
    wait_queue::WaitQueue,
};

struct State<T> {
    /// `None` while it's changed in place (`watch.out`).
    value: Option<Arc<T>>,
    version: u64,
    senders: usize,
    receivers: usize,
}

/// A value that changes. Begins with one sender and one receiver.
pub struct Latest<T, W: Wakes> {
    state: WaitQueue<W, State<T>>,
    /// As in the state, for looks without the lock: a version that differs was there, and the value is looked at under the
    /// lock. Whoever reads the one it has seen looks again there.
    version: AtomicU64,
    /// Held while the value is out.
    changing: Slow,
    /// Senders that wait until nobody receives.
    gone: Gone<W>,
}

impl<T, W: Wakes> Latest<T, W> {
    /// The first version.
    pub fn new(value: T) -> Self {
        let state = State { value: Some(Arc::new(value)), version: 0, senders: 1, receivers: 1 };
        Self {
            state: WaitQueue::with_state(state),
            version: AtomicU64::new(0),
            changing: Slow::default(),
            gone: Gone::new(),
        }
    }

    /// The value and its version. Waits while the value is changed in place.
    pub fn look(&self) -> (Arc<T>, u64) {
        loop {
            if let Some(found) = self.state.with(|state| Some((state.value.clone()?, state.version))) {
                return found;
            }
            drop(self.changing.lock());
        }
    }

    /// The version. Waits for nobody.
    pub fn version(&self) -> u64 {
        self.state.with(|state| state.version)
    }

    /// Replaces the value and tells everybody; the value before. Waits while that is changed in place.
    pub fn replace(&self, value: T) -> Arc<T> {
        let mut value = Some(Arc::new(value));
        loop {
            let before = self.state.tell(|state| {
                if state.value.is_none() {
                    return (None, false);
                }
                self.next_version(state, !types::seeded!("watch.version-kept"));
                (core::mem::replace(&mut state.value, value.take()), true)
            });
            if let Some(before) = before {
                return before;
            }
            drop(self.changing.lock());
        }
    }

    /// Changes the value in place, or a copy if somebody looks at it, and tells everybody if `change` says so.
    ///
    /// Others who change it or look at it wait while `change` runs. The copy is made, and what it replaces is dropped, under
    /// no lock.
    pub fn modify(&self, change: impl FnOnce(&mut T) -> bool) -> bool
    where
        T: Clone,
    {
        // What was copied, and its copy. Declared before the lock, so that they are dropped after it.
        let mut copied: Option<(Arc<T>, Arc<T>)> = None;
        loop {
            let changing = self.changing.lock();
            match self.take_out(&mut copied) {
                Ok(value) => return Out { latest: self, value: Some(value) }.change(change),
                Err(shared) => {
                    drop(changing);
                    let copy = Arc::new(T::clone(&shared));
                    copied = Some((shared, copy));
                }
            }
        }
    }

    /// Takes out what can be changed: the value, or the copy that was made of it if it's still the value. Otherwise the
    /// value, to be copied. With the lock of changes held.
    fn take_out(&self, copied: &mut Option<(Arc<T>, Arc<T>)>) -> Result<Arc<T>, Arc<T>> {
        self.state.with(|state| {
            let present =
                state.value.as_mut().expect("who takes it out holds the lock of changes until it's back");
            if let Some((original, copy)) = copied
                && (Arc::ptr_eq(original, present) || types::seeded!("watch.stale-copy"))
            {
                let copied_from = state.value.take().expect("it was there a moment ago");
                return Ok(core::mem::replace(copy, copied_from));
            }
            if Arc::get_mut(present).is_none() {
                return Err(present.clone());
            }
            Ok(state.value.take().expect("it was there a moment ago"))
        })
    }

    fn next_version(&self, state: &mut State<T>, differs: bool) {
        state.version += u64::from(differs);
        self.version.store(state.version, Relaxed);
    }

    /// Waits for a version other than `seen`; which one it is.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_changed(
        &self,
        node: &mut WaitNode,
        seen: u64,
        make: impl FnOnce() -> W,
    ) -> Poll<Result<u64, Closed>> {
        let version = self.version.load(Relaxed);
        if version != seen {
            self.cancel(node);
            return Poll::Ready(Ok(version));
        }
        self.state.poll_with(node, make(), |state| {
            if state.version != seen {
                return Some(Ok(state.version));
            }
            (state.senders == 0).then_some(Err(Closed))
        })
    }

    /// Stops waiting.
    pub fn cancel(&self, node: &mut WaitNode) {
        if node.is_queued() {
            self.state.forget(node);
        }
    }

    /// That there is no receiver, to be waited for.
    pub fn leaving(&self) -> Leaving<'_, W, impl Fn() -> bool> {
        self.gone.once(|| self.parties().1 == 0)
    }

    /// How many senders and receivers there are.
    pub fn parties(&self) -> (usize, usize) {
        self.state.with(|state| (state.senders, state.receivers))
    }

    /// One more sender.
    pub fn join_senders(&self) {
        self.state.with(|state| state.senders += 1);
    }

    /// One more sender, unless the last one is gone: an end is final.
    pub fn rejoin_senders(&self) -> bool {
        self.state.with(|state| {
            let lives = state.senders != 0 || types::seeded!("watch.upgrade-of-the-dead");
            state.senders += usize::from(lives);
            lives
        })
    }

    /// One sender fewer. The last one is heard by everybody.
    pub fn leave_senders(&self) {
        self.state.tell(|state| {
            state.senders -= 1;
            ((), state.senders == 0 && !types::seeded!("watch.end-unheard"))
        });
    }

    /// One more receiver; the version it joins at.
    pub fn join_receivers(&self) -> u64 {
        self.state.with(|state| {
            state.receivers += 1;
            state.version
        })
    }

    /// One receiver fewer. Senders hear of the last one.
    pub fn leave_receivers(&self) {
        let last = self.state.with(|state| {
            state.receivers -= 1;
            state.receivers == 0
        });
        if last {
            self.gone.tell();
        }
    }
}

/// A value that is being changed (`watch.out`). It's put back whatever becomes of the change.
struct Out<'l, T, W: Wakes> {
    latest: &'l Latest<T, W>,
    value: Option<Arc<T>>,
}

impl<T, W: Wakes> Out<'_, T, W> {
    fn change(mut self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let value = self.value.as_mut().and_then(Arc::get_mut).expect("what was taken out is nobody else's");
        let changed = change(value);
        self.put_back(changed);
        changed
    }

    fn put_back(&mut self, changed: bool) {
        let Some(value) = self.value.take() else { return };
        self.latest.state.tell(|state| {
            state.value = Some(value);
            self.latest.next_version(state, changed);
            ((), changed)
        });
    }
}

impl<T, W: Wakes> Drop for Out<'_, T, W> {
    fn drop(&mut self) {
        self.put_back(false);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
