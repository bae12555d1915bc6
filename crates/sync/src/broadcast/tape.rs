//! The broadcast's core: the newest values, numbered, and who waits for the next.
//!
//! Values lie in pages, which the tape shares with its receivers: a receiver whose page has its next value takes it without a
//! lock, and comes to the lock once a page.
//!
//! Invariants:
//! - `tape.numbered`: a receiver at number n gets value n, or, if that was overwritten, is told how many it has lost and
//!   stands at the oldest that is kept. So received + lost + still to come = sent since it came.
//! - `tape.bounded`: the `capacity` newest values are kept, with what shares a page with one of them or with a receiver's
//!   place. A page has no more values than the tape, and no more than [`PAGE`].
//! - `tape.end`: the end is found only past the last value, when no sender is left.
//! - Values are cloned and dropped outside of the lock: they are foreign code.
//!
//! Not here: `Cx`, obligations.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    task::Poll,
};

use crate::{
    WaitNode, Wakes,
    gone::{Gone, Leaving},
    sync::{AtomicU64, Relaxed, Release},
    wait_queue::WaitQueue,
};

/// The most values in a page.
pub const PAGE: usize = 32;

/// Values whose numbers follow each other, each of which is there once its sender has released the lock.
type Page<T> = Arc<[OnceLock<T>]>;

struct State<T> {
    /// The last one has room, or all are full.
    pages: VecDeque<Page<T>>,
    /// How many values a page has.
    page: usize,
    /// The number of the first value of the first page.
    base: u64,
    /// The number of the oldest value kept.
    first: u64,
    /// The number of the next value to come.
    end: u64,
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

/// Where a receiver is: the number of its next value, and the page it has last taken one from.
pub struct Cursor<T> {
    next: u64,
    page: Option<(u64, Page<T>)>,
}

impl<T> Cursor<T> {
    /// At value `next`.
    pub const fn new(next: u64) -> Self {
        Self { next, page: None }
    }

    /// The number of the next value.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// The next value, if it's in the page.
    fn take(&mut self) -> Option<T>
    where
        T: Clone,
    {
        let (base, page) = self.page.as_ref()?;
        let value = page.get(usize::try_from(self.next.checked_sub(*base)?).ok()?)?.get()?.clone();
        self.next += 1;
        Some(value)
    }
}

/// At the first value of all.
impl<T> Default for Cursor<T> {
    fn default() -> Self {
        Self::new(0)
    }
}

impl<T> Clone for Cursor<T> {
    fn clone(&self) -> Self {
        Self { next: self.next, page: self.page.clone() }
    }
}

/// What a receiver finds under the lock.
enum Found<T> {
    Page(u64, Page<T>),
    Missed(Missed),
}

/// The newest values. Begins with one sender, and one receiver at number 0.
pub struct Tape<T, W: Wakes> {
    state: WaitQueue<W, State<T>>,
    /// As in the state, for looks without the lock. Whoever reads an older number finds nothing and looks again there.
    first: AtomicU64,
    /// Senders that wait until nobody receives.
    gone: Gone<W>,
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
        let page = capacity.min(PAGE);
        let state =
            State { pages: VecDeque::new(), page, base: 0, first: 0, end: 0, senders: 1, receivers: 1 };
        Self { state: WaitQueue::with_state(state), first: AtomicU64::new(0), gone: Gone::new(), capacity }
    }

    /// Puts a value at the end, over the oldest if the tape is full; how many receivers will get it.
    ///
    /// # Errors
    /// There is no receiver: the value comes back.
    pub fn send(&self, value: T) -> Result<usize, T> {
        // What was overwritten is dropped after the lock.
        let (sent, _overwritten) = self.state.tell(|state| {
            if state.receivers == 0 {
                return ((Err(value), None), false);
            }
            state.put(value);
            let overwritten = state.keep(self.capacity as u64);
            self.first.store(state.first, Release);
            ((Ok(state.receivers), overwritten), true)
        });
        sent
    }

    /// The next value for a receiver, if there is one.
    pub fn try_recv(&self, cursor: &mut Cursor<T>) -> Option<Result<T, Missed>>
    where
        T: Clone,
    {
        self.glance(cursor).map(Ok).or_else(|| {
            let found = self.state.with(|state| state.at(&mut cursor.next))?;
            Some(self.found(cursor, found))
        })
    }

    /// Waits for the next value for a receiver, which moves on.
    ///
    /// A node that returned `Pending` must be polled here again or given to [`cancel`](Self::cancel).
    pub fn poll_recv(
        &self,
        node: &mut WaitNode,
        cursor: &mut Cursor<T>,
        make: impl FnOnce() -> W,
    ) -> Poll<Result<T, Missed>>
    where
        T: Clone,
    {
        if let Some(value) = self.glance(cursor) {
            self.cancel(node);
            return Poll::Ready(Ok(value));
        }
        let next = &mut cursor.next;
        self.state.poll_with(node, make(), |state| state.at(next)).map(|found| self.found(cursor, found))
    }

    /// A look without the lock.
    fn glance(&self, cursor: &mut Cursor<T>) -> Option<T>
    where
        T: Clone,
    {
        // Never further than where the tape was when the receiver looked: a value that is overwritten meanwhile was received
        // just before.
        let overwritten = cursor.next < self.first.load(Relaxed) && !types::seeded!("tape.stale-page");
        if overwritten { None } else { cursor.take() }
    }

    fn found(&self, cursor: &mut Cursor<T>, found: Found<T>) -> Result<T, Missed>
    where
        T: Clone,
    {
        match found {
            Found::Missed(missed) => Err(missed),
            Found::Page(base, page) => {
                cursor.page = Some((base, page));
                Ok(cursor.take().expect("what is before the end is in its page"))
            }
        }
    }

    /// Stops waiting.
    pub fn cancel(&self, node: &mut WaitNode) {
        if node.is_queued() {
            self.state.forget(node);
        }
    }

    /// How many values a receiver would find, those it has lost included.
    pub fn ahead_of(&self, cursor: &Cursor<T>) -> u64 {
        self.state.with(|state| state.end - cursor.next)
    }

    /// That there is no receiver, to be waited for.
    pub fn leaving(&self) -> Leaving<'_, W, impl Fn() -> bool> {
        self.gone.once(|| self.parties().1 == 0)
    }

    /// How many senders and receivers there are.
    pub fn parties(&self) -> (usize, usize) {
        self.state.with(|state| (state.senders, state.receivers))
    }

    /// How many values can still be received now.
    pub fn len(&self) -> usize {
        self.state.with(|state| (state.end - state.first) as usize)
    }

    /// Whether none can.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values can be received at most.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// One more sender.
    pub fn join_senders(&self) {
        self.state.with(|state| state.senders += 1);
    }

    /// One more sender, unless the last one is gone: an end is final.
    pub fn rejoin_senders(&self) -> bool {
        self.state.with(|state| {
            let lives = state.senders != 0 || types::seeded!("tape.upgrade-of-the-dead");
            state.senders += usize::from(lives);
            lives
        })
    }

    /// One sender fewer. The last one is heard by everybody.
    pub fn leave_senders(&self) {
        self.state.tell(|state| {
            state.senders -= 1;
            ((), state.senders == 0 && !types::seeded!("tape.end-unheard"))
        });
    }

    /// One more receiver, which gets the next value to come.
    pub fn join_receivers(&self) -> Cursor<T> {
        Cursor::new(self.state.with(|state| {
            state.receivers += 1;
            state.end
        }))
    }

    /// One receiver fewer. The last one takes the values along, and senders hear of it.
    pub fn leave_receivers(&self) {
        // Dropped after the lock, and after the senders were told: they are foreign code.
        let left = self.state.with(|state| {
            state.receivers -= 1;
            if state.receivers > 0 {
                return None;
            }
            (state.first, state.base) = (state.end, state.end);
            Some(core::mem::take(&mut state.pages))
        });
        if left.is_some() {
            self.gone.tell();
        }
    }
}

impl<T> State<T> {
    fn put(&mut self, value: T) {
        let at = (self.end - self.base) as usize;
        if at == self.pages.len() * self.page {
            self.pages.push_back((0..self.page).map(|_| OnceLock::new()).collect());
        }
        let slot = &self.pages[at / self.page][at % self.page];
        assert!(slot.set(value).is_ok(), "a number is given once");
        self.end += 1;
    }

    /// Numbers all but the newest as overwritten; a page that has no other values is given back.
    fn keep(&mut self, newest: u64) -> Option<Page<T>> {
        self.first = self.first.max(self.end.saturating_sub(newest));
        let page = self.page as u64;
        (self.base + page <= self.first).then(|| {
            self.base += page;
            self.pages.pop_front().expect("a value is in each page")
        })
    }

    fn at(&self, next: &mut u64) -> Option<Found<T>> {
        if *next < self.first {
            let lost = self.first - core::mem::replace(next, self.first);
            if types::seeded!("tape.loss-untold") {
                return self.at(next);
            }
            return Some(Found::Missed(Missed::Lagged(lost)));
        }
        if *next == self.end {
            return (self.senders == 0).then_some(Found::Missed(Missed::Closed));
        }
        let which = (*next - self.base) as usize / self.page;
        Some(Found::Page(self.base + (which * self.page) as u64, self.pages[which].clone()))
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
