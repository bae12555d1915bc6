//! The broadcast's core: the newest values, numbered, and who waits for the next.
//!
//! Invariants:
//! - `tape.numbered`: a receiver at number n gets value n, or, if that was overwritten, is told how many it has lost and
//!   stands at the oldest that is kept. So received + lost + still to come = sent since it came.
//! - `tape.bounded`: no more than `capacity` values are kept.
//! - `tape.end`: the end is found only past the last value, when no sender is left.
//! - Values are cloned and dropped outside of the lock: they are foreign code.
//!
//! Not here: `Cx`, obligations.

use std::{collections::VecDeque, sync::Arc, task::Poll};

use crate::{WaitNode, Wakes, wait_queue::WaitQueue};

struct State<T> {
    values: VecDeque<Arc<T>>,
    /// The number of the oldest value kept.
    first: u64,
    senders: usize,
    receivers: usize,
}

/// Why there was no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// So many were overwritten; the oldest kept is next.
    Lagged(u64),
    /// Nothing will come.
    Closed,
}

/// The newest values. Begins with one sender, and one receiver at number 0.
pub struct Tape<T, W: Wakes> {
    state: WaitQueue<W, State<T>>,
    capacity: usize,
}

impl<T, W: Wakes> Tape<T, W> {
    /// An empty one.
    ///
    /// # Panics
    /// If `capacity` is 0.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "a broadcast keeps at least one value");
        let state = State { values: VecDeque::new(), first: 0, senders: 1, receivers: 1 };
        Self { state: WaitQueue::with_state(state), capacity }
    }

    /// Puts a value at the end, over the oldest if the tape is full; how many receivers will get it.
    ///
    /// # Errors
    /// There is no receiver: the value comes back.
    pub fn send(&self, value: T) -> Result<usize, T> {
        let value = Arc::new(value);
        let (receivers, overwritten) = self.state.tell(|state| {
            if state.receivers == 0 {
                return ((0, Some(value)), false);
            }
            let mut overwritten = None;
            if state.values.len() == self.capacity {
                overwritten = state.values.pop_front();
                state.first += u64::from(!types::seeded!("tape.loss-unnumbered"));
            }
            state.values.push_back(value);
            ((state.receivers, overwritten), true)
        });
        match overwritten {
            Some(refused) if receivers == 0 => {
                Err(Arc::into_inner(refused).expect("it was never in the tape, so nobody else has it"))
            }
            _ => Ok(receivers),
        }
    }

    /// The next value for a receiver at number `next`, if there is one.
    pub fn try_recv(&self, next: &mut u64) -> Option<Result<Arc<T>, Missed>> {
        self.state.with(|state| state.at(next))
    }

    /// Waits for the next value for a receiver at number `next`, which moves on.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_recv(
        &self,
        node: &mut WaitNode,
        next: &mut u64,
        make: impl FnOnce() -> W,
    ) -> Poll<Result<Arc<T>, Missed>> {
        self.state.poll_until(node, make, |state| state.at(next))
    }

    /// Stops waiting.
    pub fn cancel(&self, node: &mut WaitNode) {
        self.state.forget(node);
    }

    /// How many values a receiver at number `next` would find, those it has lost included.
    pub fn ahead_of(&self, next: u64) -> u64 {
        self.state.with(|state| state.end() - next)
    }

    /// How many senders and receivers there are.
    pub fn parties(&self) -> (usize, usize) {
        self.state.with(|state| (state.senders, state.receivers))
    }

    /// How many values are kept now.
    pub fn len(&self) -> usize {
        self.state.with(|state| state.values.len())
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values are kept at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// One more sender.
    pub fn join_senders(&self) {
        self.state.with(|state| state.senders += 1);
    }

    /// One sender fewer. The last one is heard by everybody.
    pub fn leave_senders(&self) {
        self.state.tell(|state| {
            state.senders -= 1;
            ((), state.senders == 0 && !types::seeded!("tape.end-unheard"))
        });
    }

    /// One more receiver, at the number of the next value to come.
    pub fn join_receivers(&self) -> u64 {
        self.state.with(|state| {
            state.receivers += 1;
            state.end()
        })
    }

    /// One receiver fewer. The last one takes the values along.
    pub fn leave_receivers(&self) {
        // Dropped after the lock.
        let _left = self.state.with(|state| {
            state.receivers -= 1;
            if state.receivers > 0 {
                return VecDeque::new();
            }
            state.first = state.end();
            core::mem::take(&mut state.values)
        });
    }
}

impl<T> State<T> {
    fn end(&self) -> u64 {
        self.first + self.values.len() as u64
    }

    fn at(&self, next: &mut u64) -> Option<Result<Arc<T>, Missed>> {
        if *next < self.first {
            let lost = self.first - core::mem::replace(next, self.first);
            return Some(Err(Missed::Lagged(lost)));
        }
        // Less than the capacity, or past the end.
        if let Some(value) = self.values.get((*next - self.first) as usize) {
            *next += 1;
            return Some(Ok(value.clone()));
        }
        (self.senders == 0).then_some(Err(Missed::Closed))
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
